using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>Encoder outputs on disk, keyed by encoder fingerprint and SHA-256 of the text: an identical text is encoded once for each encoder. Crash-safe: a torn record is dropped when opened. Safe for several threads of one process.</summary>
public sealed class EncoderOutputCache : IDisposable
{
    public EncoderOutputCache(string folder) => throw new NotImplementedException();

    /// <summary>e for every text, in input order; what is missing is encoded and kept.</summary>
    public EmbeddingMatrix GetOrEncode(SentenceEncoder encoder, IReadOnlyList<string> texts, IProgress<int>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    public void Dispose() { }
}
