using System.Buffers.Binary;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>
/// Where a record lies in a partition's files. FASTER frames each as <c>length i32 · record</c>, padded to 4 bytes; a record never crosses a page, a length of 0 ends a page before its end,
/// and the first page begins at byte 64. An address counts the bytes of all files in turn, dropped ones included.
/// </summary>
/// <param name="Address">Of the frame.</param>
/// <param name="Length">Bytes of the record.</param>
internal readonly record struct RecordPlace(long Address, int Length, long Offset, long TimestampMs)
{
    public const int FrameBytes = 4;
    private const int FirstAddress = 64;

    public static string FileOf(string folder, long segment) => Path.Combine(folder, $"{LogFile.DataName}.{segment}");

    /// <summary>
    /// Looks at every record below the address that is not erased, also at those below the log's begin whose bytes are still there. Reads the files, so appends go on beside it.
    /// </summary>
    /// <param name="which">Its messages' bytes are lent for the call.</param>
    /// <returns>Those that are wanted, ascending.</returns>
    /// <exception cref="InvalidDataException">A record is damaged.</exception>
    public static List<RecordPlace> Find(string folder, LogGeometry geometry, long until, int partition, Func<LogMessage, bool> which, CancellationToken cancellationToken)
    {
        var found = new List<RecordPlace>();
        long segmentBytes = 1L << geometry.SegmentBits;
        var page = new byte[1 << geometry.PageBits];
        foreach (long segment in Segments(folder))
        {
            try
            {
                using var file = File.OpenHandle(FileOf(folder, segment), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                long end = Math.Min(until, (segment + 1) * segmentBytes);
                for (long start = segment * segmentBytes; start < end; start += page.Length)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    int bytes = Fill(file, page, start - segment * segmentBytes);
                    FindIn(page.AsSpan(0, (int)Math.Min(bytes, end - start)), start, folder, partition, which, found);
                }
            }
            catch (FileNotFoundException)
            {
                // Retention was faster.
            }
        }
        return found;
    }

    private static void FindIn(ReadOnlySpan<byte> page, long start, string folder, int partition, Func<LogMessage, bool> which, List<RecordPlace> found)
    {
        using var memory = new MessageMemory();
        for (int at = start == 0 ? FirstAddress : 0; at + FrameBytes < page.Length;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(page[at..]);
            if (length == 0) return;
            if (length < RecordFormat.HeaderBytes || length > page.Length - at - FrameBytes) throw Damaged(folder, start + at);
            var record = page.Slice(at + FrameBytes, length);
            if (!RecordFormat.IsErased(record))
            {
                if (RecordFormat.TryRead(record, partition, memory) is not { } message) throw Damaged(folder, start + at);
                if (which(message)) found.Add(new RecordPlace(start + at, length, message.Offset, message.TimestampMs));
            }
            at += FrameBytes + (length + 3 & ~3);
        }
    }

    private static InvalidDataException Damaged(string folder, long address) => new($"{folder}: the record at address {address} is damaged; restore the folder from a copy");

    private static IEnumerable<long> Segments(string folder) => Directory.GetFiles(folder, LogFile.DataName + ".*")
        .Select(path => long.TryParse(Path.GetExtension(path).AsSpan(1), out long segment) ? segment : -1).Where(segment => segment >= 0).Order();

    private static int Fill(Microsoft.Win32.SafeHandles.SafeFileHandle file, byte[] page, long from)
    {
        int filled = 0;
        while (filled < page.Length && RandomAccess.Read(file, page.AsSpan(filled), from + filled) is > 0 and var read) filled += read;
        return filled;
    }
}
