using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// Outputs of one encoder. Header: 8 bytes <c>BEEOUT01</c>, int32 dimension, 4 zero bytes. Then records of one size: SHA-256 of the text (32 bytes), the output (float32 x dimension),
/// the first 8 bytes of the SHA-256 of both. All little-endian. Only appended to; a record is trusted after its checksum, and the last record of a text counts.
/// </summary>
internal sealed class EncoderOutputFile : IDisposable
{
    private const int HeaderBytes = 16;
    private const int ChecksumBytes = 8;
    private static readonly byte[] s_magic = "BEEOUT01"u8.ToArray();

    private readonly SafeFileHandle _handle;
    private readonly string _path;
    private readonly int _dimension;
    private readonly Lock _gate = new();
    private readonly Dictionary<TextKey, long> _recordOf = [];
    private long _records;

    private EncoderOutputFile(SafeFileHandle handle, string path, int dimension)
    {
        _handle = handle;
        _path = path;
        _dimension = dimension;
    }

    private int RecordBytes => TextKey.Bytes + _dimension * sizeof(float) + ChecksumBytes;

    public static EncoderOutputFile Open(string path, int dimension)
    {
        var handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, FileOptions.RandomAccess);
        try
        {
            var file = new EncoderOutputFile(handle, path, dimension);
            file.CheckHeader();
            file.BuildIndex();
            return file;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <returns>False when the text has no intact record.</returns>
    public bool TryRead(TextKey key, Span<float> output)
    {
        long record;
        lock (_gate)
            if (!_recordOf.TryGetValue(key, out record)) return false;
        var bytes = new byte[RecordBytes];
        if (ReadFully(bytes, Offset(record)) && TextKey.Read(bytes) == key && ChecksumOf(bytes).SequenceEqual(bytes.AsSpan(^ChecksumBytes..)))
        {
            MemoryMarshal.Cast<byte, float>(bytes.AsSpan(TextKey.Bytes, _dimension * sizeof(float))).CopyTo(output);
            return true;
        }
        // Damaged on disk: the text is encoded and written anew.
        lock (_gate)
            if (_recordOf.GetValueOrDefault(key, -1) == record) _recordOf.Remove(key);
        return false;
    }

    /// <summary>Appends what is not there yet (another thread may have been faster).</summary>
    public void Append(IReadOnlyList<TextKey> keys, EmbeddingMatrix outputs)
    {
        lock (_gate)
        {
            int[] rows = [.. Enumerable.Range(0, keys.Count).Where(row => !_recordOf.ContainsKey(keys[row]))];
            var bytes = new byte[rows.Length * RecordBytes];
            for (int n = 0; n < rows.Length; n++)
            {
                var record = bytes.AsSpan(n * RecordBytes, RecordBytes);
                keys[rows[n]].Write(record);
                MemoryMarshal.AsBytes(outputs.Row(rows[n])).CopyTo(record[TextKey.Bytes..]);
                ChecksumOf(record).CopyTo(record[^ChecksumBytes..]);
            }
            RandomAccess.Write(_handle, bytes, Offset(_records));
            RandomAccess.FlushToDisk(_handle);
            foreach (int row in rows) _recordOf.Add(keys[row], _records++);
        }
    }

    private long Offset(long record) => HeaderBytes + record * RecordBytes;

    private static byte[] ChecksumOf(ReadOnlySpan<byte> record) => SHA256.HashData(record[..^ChecksumBytes])[..ChecksumBytes];

    private void CheckHeader()
    {
        var expected = new byte[HeaderBytes];
        s_magic.CopyTo(expected, 0);
        BinaryPrimitives.WriteInt32LittleEndian(expected.AsSpan(8), _dimension);
        // A crash while the file was made leaves less than a header.
        if (RandomAccess.GetLength(_handle) < HeaderBytes)
        {
            RandomAccess.SetLength(_handle, 0);
            RandomAccess.Write(_handle, expected, 0);
            return;
        }
        var header = new byte[HeaderBytes];
        if (!ReadFully(header, 0) || !header.AsSpan().SequenceEqual(expected))
            throw new InvalidDataException($"{_path} is not a file of encoder outputs of dimension {_dimension}; delete it and the outputs are computed again.");
    }

    private void BuildIndex()
    {
        _records = (RandomAccess.GetLength(_handle) - HeaderBytes) / RecordBytes;
        RandomAccess.SetLength(_handle, Offset(_records)); // a torn last record
        Span<byte> key = stackalloc byte[TextKey.Bytes];
        for (long record = 0; record < _records; record++)
            if (ReadFully(key, Offset(record))) _recordOf[TextKey.Read(key)] = record;
    }

    private bool ReadFully(Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            int read = RandomAccess.Read(_handle, bytes, offset);
            if (read == 0) return false;
            bytes = bytes[read..];
            offset += read;
        }
        return true;
    }

    public void Dispose() => _handle.Dispose();
}
