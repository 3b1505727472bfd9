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
        DropBehind(durableUntil);
        _index = new OffsetIndex(Path.Combine(folder, "offsets"), durableUntil);
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
    }

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

    /// <summary>Messages from the offset on; call again for what was committed in between. Not for two threads at once.</summary>
    public LogScan ScanFrom(long offset, int partition) =>
        new(_log.Scan(_index.Floor(offset)?.Address ?? _log.BeginAddress, long.MaxValue, recover: false, scanBufferingMode: ScanBufferingMode.SinglePageBuffering), offset, partition, _folder);

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _log.Dispose();
        _device.Dispose();
        _slots.Dispose();
        _index.Dispose();
    }

    // Sets NextOffset; returns the address behind the last whole record.
    private unsafe long FindEnd()
    {
        long start = _log.BeginAddress;
        NextOffset = 0;
        if (_index.Floor(long.MaxValue - OffsetIndex.Interval) is var (offset, address))
        {
            (NextOffset, start) = (offset, address);
            if (!StartsAt(start, offset))
            {
                _index.Clear();
                (NextOffset, start) = (0, _log.BeginAddress);
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

    private unsafe bool StartsAt(long address, long offset)
    {
        using var scan = _log.Scan(address, long.MaxValue, recover: false, scanBufferingMode: ScanBufferingMode.SinglePageBuffering);
        try
        {
            if (!scan.UnsafeGetNext(out byte* bytes, out int length, out long current, out _)) return false;
            try
            {
                return current == address && RecordFormat.TryReadOffset(new ReadOnlySpan<byte>(bytes, length)) == offset;
            }
            finally
            {
                scan.UnsafeRelease();
            }
        }
        catch (FasterException torn) when (IsTorn(torn))
        {
            return false;
        }
    }

    // What FASTER says about zeros and nonsense where a record should be; a failing disk is not that and must not shorten the log.
    private static bool IsTorn(FasterException e) =>
        e.Message.StartsWith("Uninitialized page", StringComparison.Ordinal) || e.Message.StartsWith("Invalid length", StringComparison.Ordinal);

    // Records behind the last commit were never acknowledged. They must read as zeros: the page may be left half full by a longer record,
    // and old bytes there would pass for records. Missing bytes before the commit read as zeros too, and FindEnd sees them.
    private void DropBehind(long durableUntil)
    {
        long segmentBytes = 1L << _geometry.SegmentBits, pageBytes = 1L << _geometry.PageBits;
        long lastSegment = durableUntil / segmentBytes, within = durableUntil % segmentBytes;
        foreach (string path in Directory.GetFiles(_folder, DataName + ".*"))
        {
            if (!long.TryParse(Path.GetExtension(path).AsSpan(1), out long segment)) continue;
            if (segment > lastSegment) File.Delete(path);
        }
        for (long segment = 0; segment <= lastSegment && durableUntil > 0; segment++)
        {
            using var file = new FileStream(Path.Combine(_folder, $"{DataName}.{segment}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            long keep = segment == lastSegment ? within : segmentBytes;
            if (segment == lastSegment && file.Length > keep) file.SetLength(keep);
            long whole = (keep + pageBytes - 1) / pageBytes * pageBytes;
            if (file.Length < whole) file.SetLength(whole);
            file.Flush(flushToDisk: true);
        }
    }
}
