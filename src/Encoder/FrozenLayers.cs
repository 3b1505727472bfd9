using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// An encoder whose embeddings and lowest layers keep their weights while the rest learns. What these layers give is computed once a text and kept on disk, rounded to float16:
/// training pays for the upper layers only, and the file serves the next training too, since the frozen weights are still the same then. One thread at a time, copies of the encoder aside.
/// </summary>
public sealed class FrozenLayers : IDisposable
{
    private readonly SentenceEncoder encoder;
    private readonly int layers;
    private readonly int hiddenSize;
    private readonly LowerOutputFile file;

    /// <param name="layers">Number of frozen layers, from 1 to <see cref="SentenceEncoder.LayerCount"/>. Their weights must not change while this lives.</param>
    /// <param name="folder">Where the outputs are kept, in <c>{fingerprint of the frozen part}.lower</c>; null: for the life of this object only.</param>
    /// <param name="maxBytes">Bound on that file; texts beyond it go through the frozen layers each time.</param>
    public FrozenLayers(SentenceEncoder encoder, int layers, string? folder, long maxBytes)
    {
        if (layers < 1 || layers > encoder.LayerCount) throw new ArgumentOutOfRangeException(nameof(layers), layers, $"This encoder has {encoder.LayerCount} layers.");
        (this.encoder, this.layers, hiddenSize) = (encoder, layers, encoder.Transformer.HiddenSize);
        if (folder is not null) Directory.CreateDirectory(folder);
        file = new LowerOutputFile(folder is null ? null : Path.Combine(folder, encoder.LowerFingerprint(layers).Value + ".lower"), hiddenSize, maxBytes);
    }

    /// <summary>As <see cref="SentenceEncoder.Forward"/>: [texts, dimension], with a graph through the upper layers where gradients are on.</summary>
    /// <param name="layersIn">Numbers that the upper layers compute in: float32 or bfloat16.</param>
    public Tensor Forward(IReadOnlyList<int[]> tokens, ScalarType layersIn = ScalarType.Float32) => Forward(tokens, encoder, layersIn);

    /// <summary>The same through a copy of the encoder, on the copy's device. Several threads may do so at once, each with a copy of its own.</summary>
    /// <param name="by">Its frozen weights are those of this encoder.</param>
    public Tensor Forward(IReadOnlyList<int[]> tokens, SentenceEncoder by, ScalarType layersIn = ScalarType.Float32)
    {
        using DisposeScope scope = NewDisposeScope();
        PaddedTokens batch = TokenBatches.Pad(tokens, by.Transformer, by.Device);
        Tensor rounded = zeros(tokens.Count, batch.Ids.shape[1], hiddenSize, dtype: ScalarType.Float16); // [texts, tokens, hidden]
        Span<byte> values = rounded.bytes;
        int row = values.Length / tokens.Count;
        for (int text = 0; text < tokens.Count; text++)
        {
            Span<byte> own = values.Slice(text * row, tokens[text].Length * hiddenSize * sizeof(short));
            var key = TextKey.Of(tokens[text]);
            lock (file)
                if (file.TryRead(key, own)) continue;
            Compute(tokens[text], by, own);
            lock (file) file.Append(key, own);
        }
        return by.Upper(rounded.to(by.Device).to_type(layersIn), batch, layers).MoveToOuterDisposeScope();
    }

    /// <summary>Each text by itself: what is kept then does not depend on which others were missing, bit for bit.</summary>
    private void Compute(int[] tokens, SentenceEncoder by, Span<byte> values)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor computed = by.Lower(TokenBatches.Pad([tokens], by.Transformer, by.Device), layers).to_type(ScalarType.Float16).cpu().contiguous(); // [1, tokens, hidden]
        computed.bytes.CopyTo(values);
    }

    public void Dispose() => file.Dispose();
}
