using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>What is versioned, fingerprinted, indexed and served: the pair (encoder, head) with its text template. Safe for several threads.</summary>
public sealed class EmbeddingModel : IDisposable
{
    public EmbeddingModel(SentenceEncoder encoder, Head? head, ItemText text, EncoderOutputCache? cache) => throw new NotImplementedException();

    /// <summary>Loads what <see cref="Save"/> wrote, or a plain sentence-transformers folder (no head).</summary>
    public static EmbeddingModel Load(string folder, ItemText text, EncoderOutputCache? cache, int? maxSequenceLength = null) => throw new NotImplementedException();

    public SentenceEncoder Encoder => throw new NotImplementedException();
    public Head? Head => throw new NotImplementedException();
    /// <summary>Covers encoder, head and text template: decides every vector.</summary>
    public Fingerprint Fingerprint => throw new NotImplementedException();
    public int Dimension => throw new NotImplementedException();

    /// <summary>Vectors of length 1 for item texts, in input order; encoder outputs come from the cache where it has them and go into it where not.</summary>
    public EmbeddingMatrix EmbedTexts(IReadOnlyList<string> texts, IProgress<int>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>The same for items, through the text template.</summary>
    public EmbeddingMatrix EmbedItems(IReadOnlyList<ItemEvent> items, IProgress<int>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>The vector of a free-text query, by the same path as an item's text; not cached.</summary>
    public float[] EmbedQuery(string text) => throw new NotImplementedException();

    /// <summary>Writes the encoder with W as a last Dense module (Python opens it unchanged), and <c>head/</c> beside it.</summary>
    public void Save(string folder) => throw new NotImplementedException();

    public void Dispose() { }
}
