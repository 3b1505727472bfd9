using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Ingest;

internal sealed class ItemRows(IWindowStore store, IngestOptions options) : ITopicRows<List<StoredItem>>
{
    public string Topic => Topics.Items;

    public long StartAt(int partition) => NextSegment(partition);

    public long NextSegment(int partition) => store.NextOffset(Topics.Items, partition);

    public long? FirstCovered(int partition, long from) => store.FirstCovered(Topics.Items, partition, from);

    public void StartOver() { }

    public List<StoredItem> Rent() => [];

    public void Return(List<StoredItem> rows) { }

    public Reading Read(in LogMessage message, List<StoredItem>? rows)
    {
        if (message.Value is null)
        {
            if (!ItemJson.TryReadKey(message.Key.Span, out var deleted, out var badKey)) return new Reading(badKey);
            rows?.Add(new StoredItem(message.Partition, message.Offset, deleted, null));
            return default;
        }
        if (!ItemMessage.TryRead(message, options.AllowedClockError, out var item, out var rejection)) return new Reading(rejection);
        rows?.Add(new StoredItem(message.Partition, message.Offset, item.ItemId, item));
        return default;
    }

    public ValueTask ApplyAsync(int partition, long nextOffset, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public void Forget(UserId user, long atMs, List<StoredItem> open) => throw new InvalidOperationException("items belong to no user");

    public bool TryWrite(int partition, long first, long last, List<StoredItem> rows) => store.TryWriteItems(partition, first, last, rows);
}
