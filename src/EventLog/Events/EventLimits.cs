namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>What an event may be at most. Ids: <see cref="Contracts.Id.MaxBytes"/>.</summary>
public static class EventLimits
{
    /// <summary>Bytes of one event's JSON.</summary>
    public const int MaxJsonBytes = 512 * 1024;
    /// <summary>Nesting of the JSON; anything an event may hold needs three.</summary>
    public const int MaxDepth = 8;
    /// <summary>Characters of an event type.</summary>
    public const int MaxTypeLength = 64;
    public const int MaxTitleLength = 2_000;
    public const int MaxDescriptionLength = 100_000;
    public const int MaxImageUrlLength = 8_192;
    public const int MaxAttributes = 200;
    public const int MaxAttributeNameLength = 200;
    public const int MaxAttributeLength = 10_000;
    public const int MaxAttributeValues = 500;
    /// <summary>Earliest time an event may carry, 1900-01-01 UTC in milliseconds: a smaller number is a mistake of unit or format.</summary>
    public const long MinTimestampMs = -2_208_988_800_000;
    /// <summary>How far a producer's clock may run ahead, milliseconds: 5 minutes.</summary>
    public const long DefaultClockErrorMs = 300_000;
}

/// <summary>The newest event time that is accepted, UTC milliseconds.</summary>
public readonly record struct ClockLimits(long LatestMs)
{
    /// <param name="clockError">How far a producer's clock may run ahead. Null: 5 minutes.</param>
    public static ClockLimits At(DateTimeOffset now, TimeSpan? clockError = null) =>
        new(now.ToUnixTimeMilliseconds() + (long)(clockError?.TotalMilliseconds ?? EventLimits.DefaultClockErrorMs));

    /// <param name="nowMs">UTC milliseconds; any number, since a message of a foreign log may carry any.</param>
    public static ClockLimits At(long nowMs, TimeSpan clockError)
    {
        long ms = (long)clockError.TotalMilliseconds;
        return new(nowMs > long.MaxValue - ms ? long.MaxValue : nowMs + ms);
    }

    public static ClockLimits None { get; } = new(long.MaxValue);
}
