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
    private long _first; // offset of entry 0: where the log begins
    private int _written;

    public OffsetIndex(string path, long firstOffset, long durableUntil)
    {
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        _first = firstOffset;
        int passed = Load(durableUntil);
        _written = passed == 0 ? _entries.Count : 0; // or all is written anew, from the first that counts
        _file.SetLength((long)_written * EntryBytes);
        _file.Position = _file.Length;
    }

    /// <summary>The nearest entry at or before the offset; null: start at the log's beginning.</summary>
    public (long Offset, long Address)? Floor(long offset)
    {
        lock (_gate)
        {
            if (offset < _first) return null;
            int after = (int)Math.Min(_entries.Count, (offset - _first) / Interval + 1); // entries are dense: entry n is record _first + n * Interval
            return after == 0 ? null : _entries[after - 1];
        }
    }

    /// <summary>All entries, ascending.</summary>
    public (long Offset, long Address)[] ToArray()
    {
        lock (_gate) return [.. _entries];
    }

    public void Note(long offset, long address)
    {
        lock (_gate)
        {
            if (offset == _first + (long)_entries.Count * Interval) _entries.Add((offset, address));
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

    /// <summary>The log begins at this entry from now on.</summary>
    public void DropBelow(long offset)
    {
        lock (_gate)
        {
            _entries.RemoveRange(0, (int)((offset - _first) / Interval));
            _first = offset;
            _written = 0;
            _file.SetLength(0);
            Save();
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

    // Returns how many entries lie below the log's begin.
    private int Load(long durableUntil)
    {
        int passed = 0;
        Span<byte> entry = stackalloc byte[EntryBytes];
        while (_file.ReadAtLeast(entry, EntryBytes, throwOnEndOfStream: false) == EntryBytes)
        {
            long offset = BinaryPrimitives.ReadInt64LittleEndian(entry), address = BinaryPrimitives.ReadInt64LittleEndian(entry[8..]);
            bool whole = BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]) == Crc32C.Of(entry[..16]);
            if (!whole || address >= durableUntil) break;
            if (_entries.Count == 0 && offset < _first)
            {
                passed++;
                continue;
            }
            if (offset != _first + (long)_entries.Count * Interval) break;
            if (_entries.Count > 0 && address <= _entries[^1].Address) break;
            _entries.Add((offset, address));
        }
        return passed;
    }
}
