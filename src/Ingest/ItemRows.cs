using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Ingest;

internal sealed class ItemRows(IWindowStore store, IngestOptions options) : ITopicRows<StoredItem>
{
    public string Topic => Topics.Items;

    public long StartAt(int partition) => NextSegment(partition);

    public long NextSegment(int partition) => store.NextOffset(Topics.Items, partition);

    public Decoded<StoredItem> Decode(LogMessage message)
    {
        if (message.Value is null)
            return ItemJson.TryReadKey(message.Key, out var deleted, out var badKey)
                ? new(message, new StoredItem(message.Partition, message.Offset, deleted, null), null, null)
                : new(message, null, null, badKey);
        var clock = ClockLimits.At(DateTimeOffset.FromUnixTimeMilliseconds(message.TimestampMs), options.AllowedClockError);
        if (message.Key.Length == 0) return new(message, null, null, new Rejection(RejectionReasons.KeyMismatch, "the message has no key; expected the item_id"));
        return ItemJson.TryRead(message.Key, message.Value, message.TimestampMs, clock, out var item, out var rejection)
            ? new(message, new StoredItem(message.Partition, message.Offset, item.ItemId, item), null, null)
            : new(message, null, null, rejection);
    }

    public ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<Decoded<StoredItem>> messages, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public void Forget(UserId user, long atMs, List<StoredItem> open) => throw new InvalidOperationException("items belong to no user");

    public bool TryWrite(int partition, long first, long last, IReadOnlyList<StoredItem> rows) => store.TryWriteItems(partition, first, last, rows);
}
