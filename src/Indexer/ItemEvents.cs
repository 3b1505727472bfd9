using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Indexer;

/// <summary>Item events out of the log.</summary>
internal static class ItemEvents
{
    public static ReadItemEvent Reader(EventClock clock) => message =>
        message.Value is not null && ItemMessage.TryRead(message, clock.AllowedError, out var item, out _) ? item : null;
}
