namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>Settings of the embedded log.</summary>
public sealed record EmbeddedEventLogOptions
{
    /// <summary>Partitions of a new topic. Default 1; 1 to 64. Fixed when a topic is created.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>Longest record, key and value together, in bytes. Default 1 MiB; 4 KiB to 16 MiB. A partition takes two to four times this in memory for each reader and the writer.</summary>
    public int MaxRecordBytes { get; init; } = 1 << 20;

    // A dead letter wraps a record in base64: it must fit even when the record was of the largest size, or a poison event would stop its partition.
    internal int MaxDeadLetterBytes => MaxRecordBytes + MaxRecordBytes / 2 + 8192;
}
