using System.Globalization;
using System.Text;

namespace BeeFormer.Streaming.EventLog;

/// <summary>A message's place in the whole log. Written <c>topic/partition/offset</c>; sorts by topic, partition, offset.</summary>
public readonly record struct LogPlace(string Topic, int Partition, long Offset) : IComparable<LogPlace>
{
    /// <summary>Where the message stood first: it may be a dead letter that came back.</summary>
    public static LogPlace FirstOf(string topic, in LogMessage message) =>
        LogHeaders.Last(message.Headers, LogHeaders.Origin) is { } header && TryParse(Encoding.UTF8.GetString(header.Span), out var origin) && origin.Topic == topic
            ? origin
            : new LogPlace(topic, message.Partition, message.Offset);

    public static bool TryParse(string? text, out LogPlace place)
    {
        place = default;
        if (text?.Split('/') is not [{ Length: > 0 } topic, var partition, var offset]) return false;
        if (!int.TryParse(partition, NumberStyles.None, CultureInfo.InvariantCulture, out int p) || !long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out long o)) return false;
        place = new LogPlace(topic, p, o);
        return true;
    }

    public int CompareTo(LogPlace other)
    {
        int order = string.CompareOrdinal(Topic, other.Topic);
        if (order == 0) order = Partition.CompareTo(other.Partition);
        return order != 0 ? order : Offset.CompareTo(other.Offset);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Topic}/{Partition}/{Offset}");
}
