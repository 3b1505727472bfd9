using FASTER.core;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>
/// One partition on disk: a FasterLog whose records carry dense offsets. Written by one thread at a time; scans may run beside it.
/// Opening reads from the last index entry on, not the whole log.
/// </summary>
internal sealed class LogFile : IDisposable
{
    internal const string DataName = "records";

    private readonly string _folder;
    private readonly LogGeometry _geometry;
    private readonly CommitSlots _slots;
    private readonly OffsetIndex _index;
    private readonly IDevice _device;
    private readonly FasterLog _log;
    private bool _disposed;

    private LogFile(string folder, LogGeometry geometry, CommitSlots slots)
    {
        (_folder, _geometry, _slots) = (folder, geometry, slots);
        long durableUntil = slots.DurableUntil ?? 0;
        Begin = LogBegin.Load(folder);
        if (Begin.Address > durableUntil) throw new InvalidDataException($"{folder}: the log begins at address {Begin.Address}, but is durable up to {durableUntil} only; restore the folder from a copy");
        DropOutside(Begin.Address, durableUntil);
        _index = new OffsetIndex(Path.Combine(folder, "offsets"), Begin.Offset, durableUntil);
        _device = Devices.CreateLogDevice(Path.Combine(folder, DataName), preallocateFile: false, deleteOnClose: false);
        _log = new FasterLog(new FasterLogSettings
        {
            LogDevice = _device,
            LogCommitManager = slots,
            PageSizeBits = geometry.PageBits,
            MemorySizeBits = geometry.PageBits + 1, // two pages: one is filled while the other goes to disk
            SegmentSizeBits = geometry.SegmentBits,
            TryRecoverLatest = true,
        });
        if (Begin.Address > _log.BeginAddress) _log.TruncateUntil(Begin.Address); // a crash came before the commit that would have told
    }

    /// <summary>The oldest record that is still held.</summary>
    public LogBegin Begin { get; private set; }

    /// <summary>The offset that the next record gets.</summary>
    public long NextOffset { get; private set; }

    public static LogFile Open(string folder, LogGeometry geometry, ILogger logger)
    {
        Directory.CreateDirectory(folder);
        RecordErasure.Finish(folder, geometry);
        var slots = new CommitSlots(Path.Combine(folder, "commit"));
        var file = new LogFile(folder, geometry, slots);
        long durableUntil = file._log.CommittedUntilAddress;
        long wholeUntil = file.FindEnd();
        if (wholeUntil != durableUntil)
        {
            // Only a disk that lost acknowledged writes, or a copy made while the log was written, gets here.
            logger.LogWarning("{Folder}: the last {Bytes} bytes of the log are missing or damaged; it goes on at offset {Offset}", folder, durableUntil - wholeUntil, file.NextOffset);
            file.Dispose();
            slots = new CommitSlots(Path.Combine(folder, "commit"));
            slots.Rewind(wholeUntil);
            file = new LogFile(folder, geometry, slots);
            if (file.FindEnd() != wholeUntil) throw new InvalidDataException($"{folder}: the log could not be repaired behind its last whole record; restore the folder from a copy");
        }
        DurableFiles.FlushFolder(folder);
        return file;
    }

    /// <summary>The address below which everything is on disk.</summary>
    public long DurableUntil => _log.CommittedUntilAddress;

    /// <summary>Adds a record, not yet durable; returns its offset.</summary>
    public long Enqueue(ReadOnlySpan<byte> record)
    {
        long address = _log.Enqueue(record);
        if (NextOffset % OffsetIndex.Interval == 0) _index.Note(NextOffset, address);
        return NextOffset++;
    }

    /// <summary>Makes all that was added durable, data first, then the commit.</summary>
    public async ValueTask CommitAsync()
    {
        long tail = _log.TailAddress;
        await _log.CommitAsync().ConfigureAwait(false);
        if (_slots.Failure is { } failure) throw new IOException($"{_folder}: the commit could not be written: {failure.Message}", failure);
        if (_log.CommittedUntilAddress < tail) throw new IOException($"{_folder}: the log is durable up to {_log.CommittedUntilAddress}, expected {tail}");
        _index.Save();
    }

    /// <summary>
    /// Drops from the begin what the retention lets go, up to a record that the index knows. False: there is nothing to drop. The files go with the next commit.
    /// No scan may be reading, and none from below the new begin may read on.
    /// </summary>
    public bool TryDrop(LogRetention retention, DateTimeOffset now)
    {
        var entries = _index.ToArray();
        int drop = 0;
        if (retention.Age is { } age)
        {
            long before = (now - age).ToUnixTimeMilliseconds();
            // The last entry that is itself too old: so is all before it.
            drop = Math.Max(drop, FirstNot(entries, entry => RecordAt(entry.Address) is { } record && record.TimestampMs < before) - 1);
        }
        if (retention.Bytes is { } bytes) drop = Math.Max(drop, Math.Min(entries.Length - 1, FirstNot(entries, entry => _log.TailAddress - entry.Address > bytes)));
        long keepFrom = retention.KeepFrom();
        drop = Math.Min(drop, FirstNot(entries, entry => entry.Offset <= keepFrom) - 1);
        if (drop <= 0) return false;

        Begin = new LogBegin(entries[drop].Offset, entries[drop].Address);
        Begin.Save(_folder);
        _index.DropBelow(Begin.Offset);
        _log.TruncateUntil(Begin.Address);
        return true;
    }

    /// <summary>Messages from the offset on; call again for what was committed in between. Not for two threads at once.</summary>
    public LogScan ScanFrom(long offset, int partition) =>
        new(_log.Scan(_index.Floor(offset)?.Address ?? FirstAddress, long.MaxValue, recover: false, scanBufferingMode: ScanBufferingMode.SinglePageBuffering), offset, partition, _folder);

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _log.Dispose();
        _device.Dispose();
        _slots.Dispose();
        _index.Dispose();
        DeleteDropped(); // what the log was still about to delete
    }

    // Sets NextOffset; returns the address behind the last whole record.
    private unsafe long FindEnd()
    {
        long start = FirstAddress;
        NextOffset = Begin.Offset;
        if (_index.Floor(long.MaxValue - OffsetIndex.Interval) is var (offset, address))
        {
            (NextOffset, start) = (offset, address);
            if (RecordAt(start)?.Offset != offset)
            {
                _index.Clear();
                (NextOffset, start) = (Begin.Offset, FirstAddress);
            }
        }
        long end = start;
        using var scan = _log.Scan(start, long.MaxValue, recover: false, scanBufferingMode: ScanBufferingMode.SinglePageBuffering);
        try
        {
            while (scan.UnsafeGetNext(out byte* bytes, out int length, out long current, out long next))
            {
                long? found;
                try
                {
                    found = RecordFormat.TryReadOffset(new ReadOnlySpan<byte>(bytes, length));
                }
                finally
                {
                    scan.UnsafeRelease();
                }
                if (found != NextOffset) return end;
                if (NextOffset % OffsetIndex.Interval == 0) _index.Note(NextOffset, current);
                NextOffset++;
                end = next;
            }
        }
        catch (FasterException torn) when (IsTorn(torn))
        {
            return end;
        }
        _index.Save();
        return end;
    }

    private long FirstAddress => Math.Max(_log.BeginAddress, Begin.Address);

    // Null: no whole record begins there.
    private unsafe (long Offset, long TimestampMs)? RecordAt(long address)
    {
        using var scan = _log.Scan(address, long.MaxValue, recover: false, scanBufferingMode: ScanBufferingMode.SinglePageBuffering);
        try
        {
            if (!scan.UnsafeGetNext(out byte* bytes, out int length, out long current, out _)) return null;
            try
            {
                var record = new ReadOnlySpan<byte>(bytes, length);
                return current == address && RecordFormat.TryReadOffset(record) is { } offset ? (offset, RecordFormat.ReadTimestamp(record)) : null;
            }
            finally
            {
                scan.UnsafeRelease();
            }
        }
        catch (FasterException torn) when (IsTorn(torn))
        {
            return null;
        }
    }

    // How many entries at the front hold, where none holds behind one that does not.
    private static int FirstNot((long Offset, long Address)[] entries, Func<(long Offset, long Address), bool> holds)
    {
        int low = 0, high = entries.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (holds(entries[middle])) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    // What FASTER says about zeros and nonsense where a record should be; a failing disk is not that and must not shorten the log.
    private static bool IsTorn(FasterException e) =>
        e.Message.StartsWith("Uninitialized page", StringComparison.Ordinal) || e.Message.StartsWith("Invalid length", StringComparison.Ordinal);

    private void DeleteDropped()
    {
        if (!Directory.Exists(_folder)) return;
        foreach (string path in Directory.GetFiles(_folder, DataName + ".*"))
            if (long.TryParse(Path.GetExtension(path).AsSpan(1), out long segment) && segment < Begin.Address >> _geometry.SegmentBits) File.Delete(path);
    }

    // Records behind the last commit were never acknowledged. They must read as zeros: the page may be left half full by a longer record,
    // and old bytes there would pass for records. Missing bytes before the commit read as zeros too, and FindEnd sees them.
    // Files below the begin belong to nobody.
    private void DropOutside(long begin, long durableUntil)
    {
        long segmentBytes = 1L << _geometry.SegmentBits, pageBytes = 1L << _geometry.PageBits;
        long firstSegment = begin / segmentBytes, lastSegment = durableUntil / segmentBytes, within = durableUntil % segmentBytes;
        foreach (string path in Directory.GetFiles(_folder, DataName + ".*"))
        {
            if (!long.TryParse(Path.GetExtension(path).AsSpan(1), out long segment)) continue;
            if (segment < firstSegment || segment > lastSegment) File.Delete(path);
        }
        for (long segment = firstSegment; segment <= lastSegment && durableUntil > 0; segment++)
        {
            using var file = new FileStream(Path.Combine(_folder, $"{DataName}.{segment}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite); // a search for records may be reading
            long keep = segment == lastSegment ? within : segmentBytes;
            if (segment == lastSegment && file.Length > keep) file.SetLength(keep);
            long whole = (keep + pageBytes - 1) / pageBytes * pageBytes;
            if (file.Length < whole) file.SetLength(whole);
            file.Flush(flushToDisk: true);
        }
    }
}
