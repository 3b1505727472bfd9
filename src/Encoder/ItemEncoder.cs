using BeeFormer.Streaming.Contracts;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>What a model encodes items with: a text encoder alone, or both towers of a CLIP. Disposes what it was made of.</summary>
/// <param name="text">The text encoder; with <paramref name="both"/> its text tower.</param>
/// <param name="both">Null: pictures are not looked at.</param>
public sealed class ItemEncoder(SentenceEncoder text, TextImageEncoder? both = null) : IDisposable
{
    /// <summary>Items whose pictures are in memory together.</summary>
    private const int ItemsTogether = 64;

    public ItemEncoder(TextImageEncoder both) : this(both.Text, both) { }

    public SentenceEncoder Text => text;

    /// <summary>Null: pictures are not looked at.</summary>
    public TextImageEncoder? Both => both;

    /// <summary>Covers all that decides an output.</summary>
    public Fingerprint Fingerprint => both?.Fingerprint ?? text.Fingerprint;

    /// <summary>Length of an output.</summary>
    public int Dimension => text.Dimension;

    /// <summary>Opens the image tower beside a text tower that was <see cref="Save">saved</see> with one.</summary>
    /// <param name="text">Of that folder; disposed with what is returned, or when this fails.</param>
    internal static ItemEncoder Of(string folder, SentenceEncoder text) =>
        TextImageEncoder.IsSaved(folder) ? new ItemEncoder(TextImageEncoder.Load(folder, text)) : new ItemEncoder(text);

    /// <summary>e of every item in input order: from the cache where it has it, else computed and kept. With two towers it has length 1. No gradients.</summary>
    /// <param name="imageUrls">One an item, null where it has no picture; null: none has one.</param>
    /// <param name="pictures">Where the pictures lie; null: there are none. It is told which of them cannot be used.</param>
    /// <param name="cache">Null: everything is computed.</param>
    /// <param name="progress">Told the number of items done so far.</param>
    public EmbeddingMatrix Encode(IReadOnlyList<string> texts, IReadOnlyList<string?>? imageUrls, PictureFolder? pictures, EncoderOutputCache? cache, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        if (both is null) return cache is null ? text.Encode(texts, TextRole.Document, progress, cancellationToken) : cache.GetOrEncode(text, texts, progress, cancellationToken);
        EmbeddingMatrix result = EmbeddingMatrix.Zeros(texts.Count, Dimension);
        Fingerprint fingerprint = Fingerprint;
        for (int first = 0; first < texts.Count; first += ItemsTogether)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int start = first;
            string[] some = [.. Enumerable.Range(start, Math.Min(ItemsTogether, texts.Count - start)).Select(n => texts[n])];
            byte[]?[] files = [.. some.Select((_, n) => pictures?.TryRead(imageUrls?[start + n]))];
            EmbeddingMatrix outputs = cache is null
                ? Compute([.. Enumerable.Range(0, some.Length)])
                : cache.GetOrCompute(fingerprint, Dimension, [.. some.Select((item, n) => TextKey.Of(item, files[n]))], Compute, progress: null, cancellationToken);
            outputs.Values.CopyTo(result.Values.AsSpan(start * Dimension));
            progress?.Report(start + some.Length);

            EmbeddingMatrix Compute(int[] rows) =>
                both.Encode([.. rows.Select(row => some[row])], n => files[rows[n]], TextRole.Document, (n, why) => pictures!.Refuse(imageUrls![start + rows[n]]!, why), cancellationToken);
        }
        return result;
    }

    /// <summary>e of a query, which has no picture; of length 1 with two towers. Not cached.</summary>
    internal EmbeddingMatrix EncodeQuery(string query) => both is null ? text.Encode([query], TextRole.Query) : both.Encode([query], _ => null, TextRole.Query);

    /// <summary>A second one with weights of its own, on that device (with two towers the CPU is the only one).</summary>
    public ItemEncoder CloneTo(Device device) => both is null ? new ItemEncoder(text.CloneTo(device)) : new ItemEncoder(both.Clone());

    /// <summary>What learns, by names that stay; who asks may change it.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Parameters => [.. text.Parameters, .. both?.ImageParameters ?? []];

    /// <summary>Whoever was given <see cref="Parameters"/> changes them no more.</summary>
    public void Settle()
    {
        text.Settle();
        both?.Image.Settle();
    }

    /// <summary>Whether all weights are finite numbers.</summary>
    public bool IsFinite => text.IsFinite && (both is null || (float.IsFinite(both.Weight) && both.Image.IsFinite));

    internal void Save(string folder)
    {
        if (both is null) text.Save(folder);
        else both.Save(folder);
    }

    public void Dispose()
    {
        if (both is null) text.Dispose();
        else both.Dispose();
    }
}
