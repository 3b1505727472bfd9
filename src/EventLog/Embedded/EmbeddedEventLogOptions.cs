namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>Settings of the embedded log.</summary>
public sealed record EmbeddedEventLogOptions
{
    /// <summary>Partitions of a new topic. Default 1; 1 to 64. Fixed when a topic is created.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>Longest record, key and value together, in bytes. Default 1 MiB; up to 16 MiB. Memory of a partition is about four times this.</summary>
    public int MaxRecordBytes { get; init; } = 1 << 20;
}
