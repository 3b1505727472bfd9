namespace BeeFormer.Streaming.Client;

/// <summary>How an <see cref="EventBatcher"/> collects, and what it tells.</summary>
public sealed record EventBatcherOptions
{
    /// <summary>Most events in one request, 1 to 10,000. Default 500.</summary>
    public int BatchSize { get; init; } = 500;

    /// <summary>How long an event waits for others. Default 1 s.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Most events that are held, on the way included; who adds another one waits. 1 to 10,000,000. Default 10,000.</summary>
    public int Capacity { get; init; } = 10_000;

    /// <summary>Wait before a request that failed is sent again; doubles up to <see cref="MaxRetryDelay"/>, with jitter. Where the server says how long to wait, that is done. Default 0.2 s.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(0.2);

    /// <summary>Longest wait of one's own accord. Default 10 s.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long <see cref="EventBatcher.DisposeAsync"/> goes on trying. Default 30 s.</summary>
    public TimeSpan DisposeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Told of each event that the server refused for good, and why. One call at a time; must not throw.</summary>
    public Action<Interaction, Verdict>? Refused { get; init; }

    /// <summary>Told of each request that failed and will be sent again, for logs. One call at a time; must not throw.</summary>
    public Action<BeeFormerException>? Failing { get; init; }

    internal void Check()
    {
        Limits.Check(nameof(BatchSize), BatchSize, 1, 10_000);
        Limits.Check(nameof(Capacity), Capacity, 1, 10_000_000);
        Limits.Check(nameof(MaxAge), MaxAge);
        Limits.Check(nameof(RetryDelay), RetryDelay);
        Limits.Check(nameof(MaxRetryDelay), MaxRetryDelay);
        Limits.Check(nameof(DisposeTimeout), DisposeTimeout);
    }
}
