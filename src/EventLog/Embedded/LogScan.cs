using FASTER.core;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>A position in a partition that moves forward as it is read.</summary>
internal sealed unsafe class LogScan(FasterLogScanIterator iterator, long nextOffset, int partition, string folder) : IDisposable
{
    private const int MaxBatchBytes = 16 << 20;

    /// <summary>Fills in up to <paramref name="max"/> messages that are durable now; none when there are none.</summary>
    public void Read(int max, MessageMemory messages)
    {
        int bytesRead = 0;
        while (messages.Count < max && bytesRead < MaxBatchBytes && iterator.UnsafeGetNext(out byte* bytes, out int length, out _, out _))
        {
            LogMessage? message;
            try
            {
                message = RecordFormat.TryRead(new ReadOnlySpan<byte>(bytes, length), partition, messages);
            }
            finally
            {
                iterator.UnsafeRelease();
            }
            if (message is not { } read || read.Offset > nextOffset)
                throw new InvalidDataException($"{folder}: the record at offset {nextOffset} is damaged; restore the folder from a copy");
            if (read.Offset < nextOffset) continue; // the index leads to the nearest known record before
            messages.Add(read);
            bytesRead += length;
            nextOffset++;
        }
    }

    public void Dispose() => iterator.Dispose();
}
