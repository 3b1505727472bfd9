namespace BeeFormer.Streaming.EventLog;

/// <summary>A partitioned, durable, ordered log of keyed messages. Both forms (embedded, Kafka) pass the same contract tests.</summary>
public interface IEventLog
{
    /// <summary>Number of partitions of a topic; a key always goes to the same one.</summary>
    ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken);

    /// <summary>Appends in order; durable on return. Returns each record's position, in input order.</summary>
    /// <exception cref="IOException">Not all became durable; any part of the batch may be in the log all the same. Append the whole batch again: events that come twice have the same event id and count once, and items replace themselves.</exception>
    ValueTask<IReadOnlyList<LogPosition>> AppendAsync(string topic, IReadOnlyList<LogRecord> records, CancellationToken cancellationToken);

    /// <summary>The oldest offset that the partition still holds: retention removed what lies below.</summary>
    ValueTask<long> BeginOffsetAsync(string topic, int partition, CancellationToken cancellationToken);

    /// <summary>The offset that the next record of the partition gets: everything below is durable.</summary>
    ValueTask<long> EndOffsetAsync(string topic, int partition, CancellationToken cancellationToken);

    /// <summary>What the group committed last; 0 when it never did. For readers whose work is idempotent and that keep no store of their own.</summary>
    ValueTask<long> CommittedAsync(string topic, string group, int partition, CancellationToken cancellationToken);

    /// <summary>
    /// Overwrites messages for good, their bytes on disk included; their offsets become gaps, also at the end. Looks at what the log holds now, each message once, and at bytes of dropped messages that are
    /// still there; after a failure or crash, a repetition finishes it.
    /// </summary>
    /// <param name="which">True: the message goes. Its bytes are lent for the call.</param>
    /// <returns>How many went; null: this log can only be appended to, and nobody was asked.</returns>
    ValueTask<long?> EraseAsync(string topic, Func<LogMessage, bool> which, CancellationToken cancellationToken) => new((long?)null);

    /// <summary>How long a topic's messages are kept; null: for ever, or nobody knows.</summary>
    ValueTask<TimeSpan?> RetentionAsync(string topic, CancellationToken cancellationToken) => new((TimeSpan?)null);

    /// <summary>Reads a topic from positions that the reader's own store names, so that what is stored and what is read never disagree.</summary>
    /// <param name="group">Names the reader for lag monitoring; with <see cref="PartitionSharing.Group"/> also those whom it shares the partitions with.</param>
    /// <param name="startAt">Asked each time a partition comes to this reader: the first offset to deliver. What retention removed is passed over; an offset beyond the end is an <see cref="InvalidDataException"/>.</param>
    ILogSubscription Subscribe(string topic, string group, Func<int, long> startAt, PartitionSharing sharing = PartitionSharing.None);
}

/// <summary>Who gets a topic's partitions.</summary>
public enum PartitionSharing
{
    /// <summary>This reader gets all.</summary>
    None,
    /// <summary>The readers of the same group divide them, and divide them anew when one comes or goes. The embedded log, which has one process, gives each reader all.</summary>
    Group,
}

public readonly record struct LogPosition(int Partition, long Offset);

/// <param name="Value">Null: a tombstone for the key.</param>
/// <param name="Headers">Null: none.</param>
public readonly record struct LogRecord(byte[] Key, byte[]? Value, IReadOnlyList<LogHeader>? Headers = null);

/// <summary>Says something about a message without being part of it. Names may repeat.</summary>
public readonly record struct LogHeader(string Name, ReadOnlyMemory<byte> Value);

/// <summary>One message; its bytes belong to the <see cref="LogBatch"/> that it came in.</summary>
/// <param name="TimestampMs">When the log took the message, UTC milliseconds.</param>
/// <param name="Value">Null: a tombstone for the key.</param>
/// <param name="Headers">Null: none.</param>
public readonly record struct LogMessage(int Partition, long Offset, long TimestampMs, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Value, IReadOnlyList<LogHeader>? Headers = null);

/// <summary>One reader of one topic. One read at a time; a commit may come while a read waits.</summary>
public interface ILogSubscription : IAsyncDisposable
{
    /// <summary>Waits for at least one message; returns up to <paramref name="max"/> of one partition. A cancelled read loses nothing, and one that failed may be repeated.</summary>
    ValueTask<LogBatch> ReadAsync(int max, CancellationToken cancellationToken);

    /// <summary>Records that all below <paramref name="nextOffset"/> is done, for monitoring and for <see cref="IEventLog.CommittedAsync"/>; it moves no running subscription.</summary>
    ValueTask CommitAsync(int partition, long nextOffset, CancellationToken cancellationToken);
}
