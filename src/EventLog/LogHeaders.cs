using System.Globalization;
using System.Text;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog;

/// <summary>Headers that mean something to this program; a replayed dead letter carries them.</summary>
public static class LogHeaders
{
    /// <summary>Where the message stood first, as <see cref="LogPlace"/> writes it: what came back is the event that it was.</summary>
    public const string Origin = "beeformer-origin";
    /// <summary>When the log took it first, UTC milliseconds: the time of an event that names none.</summary>
    public const string OriginTime = "beeformer-origin-time";

    /// <summary>The headers of a message that goes back to its topic.</summary>
    public static IReadOnlyList<LogHeader> Returning(LogPlace origin, long originTimeMs, IEnumerable<LogHeader> headers) =>
    [
        .. headers.Where(header => header.Name is not (Origin or OriginTime)),
        new LogHeader(Origin, Encoding.UTF8.GetBytes(origin.ToString())),
        new LogHeader(OriginTime, Encoding.UTF8.GetBytes(originTimeMs.ToString(CultureInfo.InvariantCulture))),
    ];

    /// <summary>When the log took the message first; what cannot have been that is not believed.</summary>
    public static long FirstTimeMs(in LogMessage message) =>
        Last(message.Headers, OriginTime) is { } value && long.TryParse(value.Span, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long ms)
        && ms >= EventLimits.MinTimestampMs && ms <= message.TimestampMs ? ms : message.TimestampMs;

    /// <summary>The value of the header with this name, of the last one where it is repeated; null where there is none.</summary>
    public static ReadOnlyMemory<byte>? Last(IReadOnlyList<LogHeader>? headers, string name)
    {
        for (int n = (headers?.Count ?? 0) - 1; n >= 0; n--)
            if (headers![n].Name == name) return headers[n].Value;
        return null;
    }
}
