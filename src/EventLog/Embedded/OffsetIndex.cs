using System.Buffers.Binary;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>
/// Where every 1,024th record lies, so that opening a log and reading from the middle skip most of it. A cache: whatever is missing
/// or damaged is found again by scanning, so it is written without waiting for the disk.
/// </summary>
internal sealed class OffsetIndex : IDisposable
{
    public const int Interval = 1024;
    private const int EntryBytes = 24; // offset i64 · address i64 · crc u32 · zero u32

    private readonly FileStream _file;
    private readonly List<(long Offset, long Address)> _entries = [];
    private readonly Lock _gate = new();
    private int _written;

    public OffsetIndex(string path, long durableUntil)
    {
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        Load(durableUntil);
        _file.SetLength((long)_entries.Count * EntryBytes);
        _file.Position = _file.Length;
        _written = _entries.Count;
    }

    /// <summary>The nearest entry at or before the offset; null: start at the log's beginning.</summary>
    public (long Offset, long Address)? Floor(long offset)
    {
        lock (_gate)
        {
            int after = (int)Math.Min(_entries.Count, offset / Interval + 1); // entries are dense: entry n is record n * Interval
            return after == 0 ? null : _entries[after - 1];
        }
    }

    public void Note(long offset, long address)
    {
        lock (_gate)
        {
            if (offset == (long)_entries.Count * Interval) _entries.Add((offset, address));
        }
    }

    /// <summary>Forgets everything: the entries do not fit the log.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _entries.Clear();
            _written = 0;
            _file.SetLength(0);
        }
    }

    public void Save()
    {
        lock (_gate)
        {
            if (_written == _entries.Count) return;
            Span<byte> entry = stackalloc byte[EntryBytes];
            for (; _written < _entries.Count; _written++)
            {
                entry.Clear();
                BinaryPrimitives.WriteInt64LittleEndian(entry, _entries[_written].Offset);
                BinaryPrimitives.WriteInt64LittleEndian(entry[8..], _entries[_written].Address);
                BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], Crc32C.Of(entry[..16]));
                _file.Write(entry);
            }
            _file.Flush();
        }
    }

    public void Dispose() => _file.Dispose();

    private void Load(long durableUntil)
    {
        Span<byte> entry = stackalloc byte[EntryBytes];
        while (_file.ReadAtLeast(entry, EntryBytes, throwOnEndOfStream: false) == EntryBytes)
        {
            long offset = BinaryPrimitives.ReadInt64LittleEndian(entry), address = BinaryPrimitives.ReadInt64LittleEndian(entry[8..]);
            bool whole = BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]) == Crc32C.Of(entry[..16]);
            if (!whole || offset != (long)_entries.Count * Interval || address >= durableUntil) return;
            if (_entries.Count > 0 && address <= _entries[^1].Address) return;
            _entries.Add((offset, address));
        }
    }
}
