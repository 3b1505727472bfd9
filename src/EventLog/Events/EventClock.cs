using Microsoft.Extensions.Configuration;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>How far a producer's clock may run ahead: one setting for whoever reads events, since the same message must get the same verdict everywhere.</summary>
public sealed record EventClock(TimeSpan AllowedError)
{
    /// <summary>Default: 5 minutes.</summary>
    public const string Key = "Ingest:AllowedClockError";

    /// <exception cref="InvalidDataException">The setting is negative.</exception>
    public static EventClock Of(IConfiguration configuration)
    {
        var error = configuration.GetValue<TimeSpan?>(Key) ?? TimeSpan.FromMilliseconds(EventLimits.DefaultClockErrorMs);
        return error >= TimeSpan.Zero ? new EventClock(error) : throw new InvalidDataException($"{Key} is {error}; expected zero or more");
    }
}
