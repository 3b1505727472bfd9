using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>(1 − a) · trained + a · incumbent, for what both have in the same shape. Weights that are equal stay as they are, bit by bit.</summary>
internal static class WeightAveraging
{
    /// <summary>Moves the weights of <paramref name="trained"/>; the incumbent stays as it is.</summary>
    public static void Average(ItemEncoder trained, ItemEncoder incumbent, double share)
    {
        using ItemEncoder other = incumbent.CloneTo(incumbent.Text.Device); // who is asked for its parameters is taken for one in training
        Dictionary<string, Tensor> known = other.Parameters.ToDictionary(p => p.Name, p => p.Value);
        using (no_grad())
        using (NewDisposeScope())
        using (Scalar a = share.ToScalar())
            foreach ((string name, Tensor value) in trained.Parameters)
                // With its factor given: add_ without one makes a number of its own that nobody holds.
                if (known.TryGetValue(name, out Tensor? before) && before.shape.AsSpan().SequenceEqual(value.shape)) value.add_(before - value, a);
        trained.Settle();
    }

    /// <returns>A head with the words of <paramref name="trained"/>; those that the incumbent does not know, and all where the heads differ in shape, keep their own weights.</returns>
    public static Head Average(Head trained, Head incumbent, double share)
    {
        int width = trained.Dimension;
        if ((incumbent.EncoderDimension, incumbent.Dimension, incumbent.Shape.Alpha) != (trained.EncoderDimension, width, trained.Shape.Alpha)) return trained;
        float[] projection = trained.Projection.ToArray(), rows = trained.WordRows.ToArray();
        Toward(projection, incumbent.Projection.Span, (float)share);
        for (int word = 0; word < trained.Vocabulary.Words.Count; word++)
            if (incumbent.Vocabulary.IndexOf(trained.Vocabulary.Words[word]) is >= 0 and int before)
                Toward(rows.AsSpan(word * width, width), incumbent.WordRows.Span.Slice(before * width, width), (float)share);
        return trained.WithWeights(projection, rows);
    }

    private static void Toward(Span<float> values, ReadOnlySpan<float> others, float share)
    {
        for (int n = 0; n < values.Length; n++) values[n] += (others[n] - values[n]) * share;
    }
}
