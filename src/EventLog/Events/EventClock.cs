using Microsoft.Extensions.Configuration;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>How far a producer's clock may run ahead: one setting for whoever reads events, since the same message must get the same verdict everywhere.</summary>
public sealed record EventClock(TimeSpan AllowedError)
{
    /// <summary>Default: 5 minutes.</summary>
    public const string Key = "Ingest:AllowedClockError";

    public static EventClock Of(IConfiguration configuration) => new(configuration.GetValue<TimeSpan?>(Key) ?? TimeSpan.FromMilliseconds(EventLimits.DefaultClockErrorMs));
}
