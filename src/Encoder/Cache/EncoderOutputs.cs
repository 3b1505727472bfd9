using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>All outputs of one encoder, in files of a bounded size; the last is written to, the first are the first to go. Safe for several threads.</summary>
internal sealed class EncoderOutputs : IDisposable
{
    /// <summary>How often it is noted on disk that somebody uses the outputs.</summary>
    private static readonly TimeSpan s_note = TimeSpan.FromHours(1);

    private readonly string _folder;
    private readonly Fingerprint _encoder;
    private readonly int _dimension;
    private readonly long _fileBytes;
    private readonly Lock _gate = new();
    // Replaced, never changed: readers go over it without the lock.
    private volatile (int Number, EncoderOutputFile File)[] _files;
    private DateTime _noted = DateTime.MinValue;

    private EncoderOutputs(string folder, Fingerprint encoder, int dimension, long fileBytes, (int, EncoderOutputFile)[] files) =>
        (_folder, _encoder, _dimension, _fileBytes, _files) = (folder, encoder, dimension, fileBytes, files);

    /// <param name="fileBytes">From this size on a file gets a successor.</param>
    public static EncoderOutputs Open(string folder, Fingerprint encoder, int dimension, long fileBytes)
    {
        int[] numbers = [.. OutputFileName.In(folder).Where(file => file.Encoder == encoder).Select(file => file.Number).DefaultIfEmpty(0).Order()];
        var files = new List<(int, EncoderOutputFile)>();
        try
        {
            foreach (int number in numbers) files.Add((number, EncoderOutputFile.Open(OutputFileName.PathOf(folder, encoder, number), dimension)));
            return new EncoderOutputs(folder, encoder, dimension, fileBytes, [.. files]);
        }
        catch
        {
            foreach (var (_, file) in files) file.Dispose();
            throw;
        }
    }

    /// <summary>Notes that somebody does.</summary>
    public void Use(int dimension, DateTime now)
    {
        if (dimension != _dimension) throw new InvalidDataException($"{OutputFileName.PathOf(_folder, _encoder, 0)} is not a file of encoder outputs of dimension {dimension}; delete it and the outputs are computed again.");
        lock (_gate)
        {
            if (now - _noted < s_note || _files.Length == 0) return;
            _noted = now;
            string newest = OutputFileName.PathOf(_folder, _encoder, _files[^1].Number);
            if (File.GetLastWriteTimeUtc(newest) < now) File.SetLastWriteTimeUtc(newest, now);
        }
    }

    public bool Contains(TextKey key) => Array.Exists(_files, file => file.File.Contains(key));

    /// <returns>False when the text has no intact record.</returns>
    public bool TryRead(TextKey key, Span<float> output)
    {
        var files = _files;
        for (int n = files.Length - 1; n >= 0; n--)
            if (files[n].File.TryRead(key, output)) return true;
        return false;
    }

    /// <summary>Appends what is not there yet (another thread may have been faster).</summary>
    public void Append(IReadOnlyList<TextKey> keys, EmbeddingMatrix outputs)
    {
        lock (_gate)
        {
            int[] rows = [.. Enumerable.Range(0, keys.Count).Where(row => !Contains(keys[row]))];
            if (rows.Length == 0) return;
            if (_files.Length == 0 || _files[^1].File.Bytes >= _fileBytes)
            {
                int number = _files.Length == 0 ? 0 : _files[^1].Number + 1;
                _files = [.. _files, (number, EncoderOutputFile.Open(OutputFileName.PathOf(_folder, _encoder, number), _dimension))];
            }
            _files[^1].File.Append(keys, outputs, rows);
        }
    }

    /// <summary>Forgets a file that is about to be deleted. Who reads from it reads on: its handle is closed when nobody has it any more.</summary>
    public void Drop(int number)
    {
        lock (_gate) _files = [.. _files.Where(file => file.Number != number)];
    }

    public void Dispose()
    {
        foreach (var (_, file) in _files) file.Dispose();
    }
}
