using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// Encoder outputs on disk, keyed by encoder fingerprint and SHA-256 of the text (and of the picture, where the encoder takes one): an identical text is encoded once for each encoder. One append-only file an encoder, <c>{fingerprint}.outputs</c>.
/// Crash-safe: a torn record is dropped when opened, a damaged one is encoded again. Safe for several threads of one process; a second process is refused.
/// In memory is an index of about 50 bytes a text, not the outputs.
/// </summary>
public sealed class EncoderOutputCache : IDisposable
{
    /// <summary>Texts encoded between two writes: so much work is lost by a crash at most.</summary>
    private const int TextsPerWrite = 512;

    private readonly string _folder;
    private readonly Lock _gate = new();
    private readonly Dictionary<Fingerprint, EncoderOutputFile> _files = [];
    private bool _disposed;

    /// <summary>Where it lies.</summary>
    public string Folder => _folder;

    public EncoderOutputCache(string folder)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
    }

    /// <summary>e for every text, in input order; what is missing is encoded and kept.</summary>
    /// <param name="progress">Told the number of texts done so far.</param>
    public EmbeddingMatrix GetOrEncode(SentenceEncoder encoder, IReadOnlyList<string> texts, IProgress<int>? progress = null, CancellationToken cancellationToken = default) =>
        GetOrCompute(encoder.Fingerprint, encoder.Dimension, texts, missing => encoder.Encode(missing, TextRole.Document, null, cancellationToken), progress, cancellationToken);

    internal EmbeddingMatrix GetOrCompute(Fingerprint fingerprint, int dimension, IReadOnlyList<string> texts, Func<IReadOnlyList<string>, EmbeddingMatrix> compute,
        IProgress<int>? progress, CancellationToken cancellationToken) =>
        GetOrCompute(fingerprint, dimension, [.. texts.Select(text => TextKey.Of(text))], rows => compute([.. rows.Select(row => texts[row])]), progress, cancellationToken);

    /// <param name="compute">Outputs of the given rows, in their order.</param>
    internal EmbeddingMatrix GetOrCompute(Fingerprint fingerprint, int dimension, TextKey[] keys, Func<int[], EmbeddingMatrix> compute, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var file = FileOf(fingerprint, dimension);
        var outputs = EmbeddingMatrix.Zeros(keys.Length, dimension);
        var missing = new Dictionary<TextKey, List<int>>();
        for (int row = 0; row < keys.Length; row++)
        {
            TextKey key = keys[row];
            if (missing.TryGetValue(key, out var rows)) rows.Add(row);
            else if (!file.TryRead(key, outputs.Row(row))) missing.Add(key, [row]);
        }

        int done = keys.Length - missing.Sum(text => text.Value.Count);
        progress?.Report(done);
        foreach (var chunk in missing.Chunk(TextsPerWrite))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var computed = compute([.. chunk.Select(text => text.Value[0])]);
            if (computed.Rows != chunk.Length || computed.Dimension != dimension)
                throw new InvalidOperationException($"The encoder gave {computed.Rows} x {computed.Dimension} values for {chunk.Length} texts of dimension {dimension}.");
            for (int n = 0; n < chunk.Length; n++)
                foreach (int row in chunk[n].Value) computed.Row(n).CopyTo(outputs.Row(row));
            file.Append([.. chunk.Select(text => text.Key)], computed);
            progress?.Report(done += chunk.Sum(text => text.Value.Count));
        }
        return outputs;
    }

    private EncoderOutputFile FileOf(Fingerprint fingerprint, int dimension)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_files.TryGetValue(fingerprint, out var file))
                _files.Add(fingerprint, file = EncoderOutputFile.Open(Path.Combine(_folder, fingerprint.Value + ".outputs"), dimension));
            return file;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var file in _files.Values) file.Dispose();
            _files.Clear();
        }
    }
}
