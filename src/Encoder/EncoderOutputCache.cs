using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// Encoder outputs on disk, keyed by encoder fingerprint and SHA-256 of the text (and of the picture, where the encoder takes one): an identical text is encoded once for each encoder. Append-only files, <c>{fingerprint}.outputs</c> and,
/// when it is full, <c>{fingerprint}.1.outputs</c> and so on. Bounded: whole files go, first those of encoders that nobody used for a day, then the oldest.
/// Crash-safe: a torn record is dropped when opened, a damaged one is encoded again. Safe for several threads of one process; a second process is refused.
/// In memory is an index of about 50 bytes a text, not the outputs.
/// </summary>
public sealed class EncoderOutputCache : IDisposable
{
    /// <summary>10 GiB: 6.5 million outputs of 384 numbers.</summary>
    public const long DefaultMaxBytes = 10L << 30;

    /// <summary>Texts encoded between two writes: so much work is lost by a crash at most.</summary>
    private const int TextsPerWrite = 512;
    private const int TextsPerBlock = 64;
    private const long LargestFile = 256 << 20;
    /// <summary>Files within the bound: so much of it is dropped at once.</summary>
    private const int Files = 16;
    private static readonly TimeSpan s_idle = TimeSpan.FromDays(1);

    private readonly string _folder;
    private readonly long _maxBytes;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<Fingerprint, EncoderOutputs> _encoders = [];
    private bool _disposed;

    /// <summary>Where it lies.</summary>
    public string Folder => _folder;

    /// <param name="maxBytes">Most bytes on disk, but for the newest outputs of the encoders at work, a sixteenth of it each.</param>
    public EncoderOutputCache(string folder, long maxBytes = DefaultMaxBytes, TimeProvider? time = null)
    {
        _folder = folder;
        _maxBytes = maxBytes;
        _time = time ?? TimeProvider.System;
        Directory.CreateDirectory(folder);
    }

    /// <summary>e for every text, in input order; what is missing is encoded and kept.</summary>
    /// <param name="progress">Told the number of texts done so far.</param>
    public EmbeddingMatrix GetOrEncode(SentenceEncoder encoder, IReadOnlyList<string> texts, IProgress<int>? progress = null, CancellationToken cancellationToken = default) =>
        GetOrCompute(encoder.Fingerprint, encoder.Dimension, texts, missing => encoder.Encode(missing, TextRole.Document, null, cancellationToken), progress, cancellationToken);

    /// <returns>e for every text; null where one is missing.</returns>
    internal EmbeddingMatrix? TryGet(SentenceEncoder encoder, IReadOnlyList<string> texts)
    {
        var known = OutputsOf(encoder.Fingerprint, encoder.Dimension);
        var keys = new TextKey[texts.Count];
        for (int row = 0; row < keys.Length; row++)
            if (!known.Contains(keys[row] = TextKey.Of(texts[row]))) return null;
        var outputs = EmbeddingMatrix.Zeros(keys.Length, encoder.Dimension);
        for (int row = 0; row < keys.Length; row++)
            if (!known.TryRead(keys[row], outputs.Row(row))) return null;
        CacheMetrics.Asked(keys.Length, 0);
        return outputs;
    }

    internal EmbeddingMatrix GetOrCompute(Fingerprint fingerprint, int dimension, IReadOnlyList<string> texts, Func<IReadOnlyList<string>, EmbeddingMatrix> compute,
        IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var keys = new TextKey[texts.Count];
        RowBlocks.ForEach(keys.Length, TextsPerBlock, (first, end) =>
        {
            for (int row = first; row < end; row++) keys[row] = TextKey.Of(texts[row]);
        });
        return GetOrCompute(fingerprint, dimension, keys, rows => compute([.. rows.Select(row => texts[row])]), progress, cancellationToken);
    }

    /// <param name="compute">Outputs of the given rows, in their order.</param>
    internal EmbeddingMatrix GetOrCompute(Fingerprint fingerprint, int dimension, TextKey[] keys, Func<int[], EmbeddingMatrix> compute, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var encoder = OutputsOf(fingerprint, dimension);
        var outputs = EmbeddingMatrix.Zeros(keys.Length, dimension);
        var known = new bool[keys.Length];
        RowBlocks.ForEach(keys.Length, TextsPerBlock, (first, end) =>
        {
            for (int row = first; row < end; row++) known[row] = encoder.TryRead(keys[row], outputs.Row(row));
        });
        var missing = new Dictionary<TextKey, List<int>>();
        for (int row = 0; row < keys.Length; row++)
        {
            if (known[row]) continue;
            if (missing.TryGetValue(keys[row], out var rows)) rows.Add(row);
            else missing.Add(keys[row], [row]);
        }

        int done = keys.Length - missing.Sum(text => text.Value.Count);
        CacheMetrics.Asked(done, keys.Length - done);
        progress?.Report(done);
        foreach (var chunk in missing.Chunk(TextsPerWrite))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var computed = compute([.. chunk.Select(text => text.Value[0])]);
            if (computed.Rows != chunk.Length || computed.Dimension != dimension)
                throw new InvalidOperationException($"The encoder gave {computed.Rows} x {computed.Dimension} values for {chunk.Length} texts of dimension {dimension}.");
            for (int n = 0; n < chunk.Length; n++)
                foreach (int row in chunk[n].Value) computed.Row(n).CopyTo(outputs.Row(row));
            encoder.Append([.. chunk.Select(text => text.Key)], computed);
            KeepWithinBound();
            progress?.Report(done += chunk.Sum(text => text.Value.Count));
        }
        return outputs;
    }

    private EncoderOutputs OutputsOf(Fingerprint fingerprint, int dimension)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_encoders.TryGetValue(fingerprint, out var outputs))
                _encoders.Add(fingerprint, outputs = EncoderOutputs.Open(_folder, fingerprint, dimension, Math.Min(LargestFile, _maxBytes / Files)));
            outputs.Use(dimension, _time.GetUtcNow().UtcDateTime);
            return outputs;
        }
    }

    private void KeepWithinBound()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var files = OutputFileName.In(_folder);
            long bytes = files.Sum(file => file.Bytes);
            if (bytes <= _maxBytes) return;
            DateTime idle = _time.GetUtcNow().UtcDateTime - s_idle;
            var usedAt = files.GroupBy(file => file.Encoder).ToDictionary(own => own.Key, own => own.Max(file => file.At));
            var newest = files.GroupBy(file => file.Encoder).ToDictionary(own => own.Key, own => own.Max(file => file.Number));
            DateTime IdleSince(OutputFileName file) => usedAt[file.Encoder] < idle ? usedAt[file.Encoder] : DateTime.MaxValue;
            foreach (var file in files.OrderBy(IdleSince).ThenBy(file => file.At).ThenBy(file => file.Number))
            {
                if (bytes <= _maxBytes) return;
                // What an encoder at work writes to.
                if (IdleSince(file) == DateTime.MaxValue && file.Number == newest[file.Encoder]) continue;
                // Removed in one step: a crash leaves the file or no file.
                if (_encoders.TryGetValue(file.Encoder, out var open)) open.Drop(file.Number);
                File.Delete(file.Path);
                bytes -= file.Bytes;
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var encoder in _encoders.Values) encoder.Dispose();
            _encoders.Clear();
        }
    }
}
