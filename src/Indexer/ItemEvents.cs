using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Indexer;

/// <summary>Item events out of the log.</summary>
internal static class ItemEvents
{
    public static ReadItemEvent Reader(TimeProvider time) => message =>
        message.Value is { } value && ItemJson.TryRead(message.Key.Span, value.Span, message.TimestampMs, ClockLimits.At(time.GetUtcNow()), out var item, out _) ? item : null;
}
