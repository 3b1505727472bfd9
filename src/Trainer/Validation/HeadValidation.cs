using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The vectors that a head under training gives the items of a validation slice.</summary>
internal sealed class HeadValidation
{
    private readonly EarlyStopping _stopping;
    private readonly HeadStep _step;
    private readonly EmbeddingMatrix _outputs;
    private readonly SparseRows _words;

    /// <param name="encoderOutputs">e of every item of the catalogue.</param>
    /// <param name="words">t of every item of the catalogue.</param>
    public HeadValidation(EarlyStopping stopping, HeadStep step, EmbeddingMatrix encoderOutputs, SparseRows words)
    {
        (_stopping, _step) = (stopping, step);
        int[] items = stopping.Items;
        _outputs = EmbeddingMatrix.Zeros(items.Length, encoderOutputs.Dimension);
        var start = new int[items.Length + 1];
        var (columns, values) = (new List<int>(), new List<float>());
        for (int row = 0; row < items.Length; row++)
        {
            encoderOutputs.Row(items[row]).CopyTo(_outputs.Row(row));
            columns.AddRange(words.Columns(items[row]));
            values.AddRange(words.Values(items[row]));
            start[row + 1] = columns.Count;
        }
        _words = new SparseRows(start, [.. columns], [.. values]);
        stopping.Watch(step.Weights);
    }

    /// <returns>True: it is time to end.</returns>
    public bool Look(int step) => _stopping.Look(step, _step.Finish().Apply(_outputs, _words), CancellationToken.None);
}
