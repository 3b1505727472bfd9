namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>A partition from when it came to this reader until it goes.</summary>
internal sealed class HeldPartition(int partition)
{
    private volatile bool _gone;

    public int Partition => partition;

    /// <summary>It belongs to another reader now: what is still on its way from it is dropped.</summary>
    public bool IsGone => _gone;

    /// <summary>The reader has seen a batch of it. Touched by the reader only.</summary>
    public bool IsBegun { get; set; }

    /// <summary>What is being read of it; null: nothing. Touched by the client's thread only.</summary>
    public PartitionRun? Open { get; set; }

    public void Leave() => _gone = true;
}

/// <summary>Messages of one partition in the order of the log, on the way from the client's thread to the reader.</summary>
internal sealed class PartitionRun(HeldPartition from)
{
    public HeldPartition From => from;
    public ArraySegment<LogMessage> Messages => Memory.Messages;
    public MessageMemory Memory { get; } = new();
    public int Bytes { get; private set; }

    public void Add(long offset, long timestampMs, ReadOnlySpan<byte> key, ReadOnlyMemory<byte>? value, IReadOnlyList<LogHeader>? headers)
    {
        // Two statements: a conditional expression would turn null into an empty value.
        ReadOnlyMemory<byte>? kept = null;
        if (value is { } bytes) kept = Memory.Copy(bytes.Span);
        Memory.Add(new LogMessage(from.Partition, offset, timestampMs, Memory.Copy(key), kept, headers));
        Bytes += key.Length + (value?.Length ?? 0);
    }
}
