namespace BeeFormer.Streaming.Ingest;

/// <summary>Settings of the service, section <c>Ingest</c>.</summary>
public sealed record IngestOptions
{
    public const string Section = "Ingest";

    /// <summary>Messages after which a segment is closed. Default 100,000; 1 to 1,000,000.</summary>
    public int SegmentEvents { get; set; } = 100_000;

    /// <summary>Age of its first message after which a segment is closed. Default 1 second. Longer: fewer, larger segments; a training sees events later.</summary>
    public TimeSpan SegmentAge { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How far a producer's clock may run ahead before its events are dead letters. Default 5 minutes.</summary>
    public TimeSpan AllowedClockError { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Pause after the first failure of a store; doubles with each further one. Default 500 ms.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest pause between two attempts. Default 30 seconds.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(30);

    internal string? Problem() =>
        SegmentEvents is < 1 or > 1_000_000 ? $"{Section}:SegmentEvents is {SegmentEvents}; expected 1 to 1,000,000"
        : SegmentAge <= TimeSpan.Zero ? $"{Section}:SegmentAge is {SegmentAge}; expected more than zero"
        : AllowedClockError < TimeSpan.Zero ? $"{Section}:AllowedClockError is {AllowedClockError}; expected zero or more"
        : RetryDelay <= TimeSpan.Zero || MaxRetryDelay < RetryDelay ? $"{Section}:RetryDelay is {RetryDelay} and MaxRetryDelay {MaxRetryDelay}; expected more than zero, and the longest not below the first"
        : null;
}
