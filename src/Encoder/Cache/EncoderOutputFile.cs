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
    private const int BytesReadAtOnce = 1 << 20;
    private static readonly byte[] s_magic = "BEEOUT01"u8.ToArray();

    [ThreadStatic]
    private static byte[]? t_record;

    private readonly SafeFileHandle _handle;
    private readonly string _path;
    private readonly int _dimension;
    private readonly Lock _gate = new();
    private readonly Dictionary<TextKey, int> _recordOf = [];
    private int _records;

    private EncoderOutputFile(SafeFileHandle handle, string path, int dimension)
    {
        _handle = handle;
        _path = path;
        _dimension = dimension;
    }

    private int RecordBytes => TextKey.Bytes + _dimension * sizeof(float) + ChecksumBytes;

    public long Bytes
    {
        get { lock (_gate) return Offset(_records); }
    }

    public static EncoderOutputFile Open(string path, int dimension)
    {
        var handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess);
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

    public bool Contains(TextKey key)
    {
        lock (_gate) return _recordOf.ContainsKey(key);
    }

    /// <returns>False when the text has no intact record.</returns>
    public bool TryRead(TextKey key, Span<float> output)
    {
        int record;
        lock (_gate)
            if (!_recordOf.TryGetValue(key, out record)) return false;
        if (t_record?.Length != RecordBytes) t_record = new byte[RecordBytes];
        Span<byte> bytes = t_record;
        Span<byte> checksum = stackalloc byte[SHA256.HashSizeInBytes];
        if (ReadFully(bytes, Offset(record)) && TextKey.Read(bytes) == key && bytes[^ChecksumBytes..].SequenceEqual(ChecksumOf(bytes, checksum)))
        {
            MemoryMarshal.Cast<byte, float>(bytes.Slice(TextKey.Bytes, _dimension * sizeof(float))).CopyTo(output);
            return true;
        }
        // Damaged on disk: the text is encoded and written anew.
        lock (_gate)
            if (_recordOf.TryGetValue(key, out int now) && now == record) _recordOf.Remove(key);
        return false;
    }

    /// <param name="rows">What of it to append.</param>
    public void Append(IReadOnlyList<TextKey> keys, EmbeddingMatrix outputs, int[] rows)
    {
        var bytes = new byte[rows.Length * RecordBytes];
        Span<byte> checksum = stackalloc byte[SHA256.HashSizeInBytes];
        for (int n = 0; n < rows.Length; n++)
        {
            var record = bytes.AsSpan(n * RecordBytes, RecordBytes);
            keys[rows[n]].Write(record);
            MemoryMarshal.AsBytes(outputs.Row(rows[n])).CopyTo(record[TextKey.Bytes..]);
            ChecksumOf(record, checksum).CopyTo(record[^ChecksumBytes..]);
        }
        lock (_gate)
        {
            RandomAccess.Write(_handle, bytes, Offset(_records));
            RandomAccess.FlushToDisk(_handle);
            foreach (int row in rows) _recordOf[keys[row]] = _records++;
        }
    }

    private long Offset(long record) => HeaderBytes + record * RecordBytes;

    private static ReadOnlySpan<byte> ChecksumOf(ReadOnlySpan<byte> record, Span<byte> digest)
    {
        SHA256.HashData(record[..^ChecksumBytes], digest);
        return digest[..ChecksumBytes];
    }

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

    /// <summary>Reads the whole file in large pieces: a read for each key alone is a seek for each.</summary>
    private void BuildIndex()
    {
        _records = checked((int)((RandomAccess.GetLength(_handle) - HeaderBytes) / RecordBytes));
        RandomAccess.SetLength(_handle, Offset(_records)); // a torn last record
        _recordOf.EnsureCapacity(_records);
        int together = Math.Max(1, BytesReadAtOnce / RecordBytes);
        var bytes = new byte[together * RecordBytes];
        for (int first = 0; first < _records; first += together)
        {
            int count = Math.Min(together, _records - first);
            if (!ReadFully(bytes.AsSpan(0, count * RecordBytes), Offset(first))) return;
            for (int n = 0; n < count; n++) _recordOf[TextKey.Read(bytes.AsSpan(n * RecordBytes))] = first + n;
        }
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
