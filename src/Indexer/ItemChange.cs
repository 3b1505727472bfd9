using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Indexer;

/// <summary>What the log says about one item.</summary>
/// <param name="Offset">The revision in the index.</param>
/// <param name="Event">Null: deleted.</param>
/// <param name="LoggedAtMs">When the log took it, UTC milliseconds; 0 where nobody asks.</param>
internal readonly record struct ItemChange(ItemId Id, long Offset, ItemEvent? Event, long LoggedAtMs = 0)
{
    /// <summary>The newest change of every item in messages of one partition. What cannot be read is left out: Ingest dead-letters it.</summary>
    public static IReadOnlyCollection<ItemChange> NewestOf(IEnumerable<LogMessage> messages, ReadItemEvent read)
    {
        var newest = new Dictionary<ItemId, ItemChange>();
        foreach (var message in messages)
            if (Read(message, read) is { } change && (!newest.TryGetValue(change.Id, out var known) || known.Offset < change.Offset))
                newest[change.Id] = change;
        return newest.Values;
    }

    private static ItemChange? Read(LogMessage message, ReadItemEvent read)
    {
        if (message.Value is null)
            return ItemJson.TryReadKey(message.Key.Span, out var deleted, out _) ? new ItemChange(deleted, message.Offset, null, message.TimestampMs) : null;
        return read(message) is { } item ? new ItemChange(item.ItemId, message.Offset, item, message.TimestampMs) : null;
    }
}

/// <returns>Null when the message cannot be read.</returns>
internal delegate ItemEvent? ReadItemEvent(LogMessage message);
