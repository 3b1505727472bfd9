using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Indexer;

/// <summary>Item events out of the log.</summary>
internal static class ItemEvents
{
    public static ReadItemEvent Reader(TimeProvider time) => message =>
        message.Value is not null && ItemJson.TryRead(message.Key, message.Value, message.TimestampMs, ClockLimits.At(time.GetUtcNow()), out var item, out _) ? item : null;
}
