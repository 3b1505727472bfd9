namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>Settings of the embedded log: section <c>EventLog</c>.</summary>
public sealed record EmbeddedEventLogOptions
{
    public const string Section = "EventLog";

    /// <summary>Partitions of a new topic. Default 1; 1 to 64. Fixed when a topic is created.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>Longest record, key and value together, in bytes. Default 1 MiB; 4 KiB to 16 MiB. A partition takes two to four times this in memory for each reader and the writer.</summary>
    public int MaxRecordBytes { get; init; } = 1 << 20;

    /// <summary>
    /// Age at which interactions and dead letters may be dropped; null: never. Default 7 days; at least 1 minute. Interactions that have not landed in the window store stay however old they are.
    /// Items stay for ever: an index is built from them. Dropped are stretches of 1,024 records, on disk files of 64 MiB.
    /// </summary>
    public TimeSpan? Retention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Bytes that a partition of interactions or dead letters may take before its oldest are dropped, with the same exception. Default null: any number; at least 1 MiB.</summary>
    public long? RetentionBytes { get; init; }

    /// <summary>What is wrong, naming the key; null: nothing.</summary>
    internal string? Problem() =>
        Partitions is < 1 or > 64 ? $"EventLog:Partitions is {Partitions}; expected 1 to 64" :
        MaxRecordBytes is < 4096 or > 16 << 20 ? $"EventLog:MaxRecordBytes is {MaxRecordBytes}; expected 4096 to {16 << 20}" :
        Retention < TimeSpan.FromMinutes(1) ? $"EventLog:Retention is {Retention:c}; expected at least 00:01:00" :
        RetentionBytes < 1 << 20 ? $"EventLog:RetentionBytes is {RetentionBytes}; expected at least {1 << 20}" : null;

    // A dead letter wraps a record in base64: it must fit even when the record was of the largest size, or a poison event would stop its partition.
    internal int MaxDeadLetterBytes => MaxRecordBytes + MaxRecordBytes / 2 + 8192;
}
