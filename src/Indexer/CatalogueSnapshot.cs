using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Indexer;

/// <summary>The catalogue as of given log positions: what the WindowStore holds, and from the log what has not landed there yet.</summary>
internal static class CatalogueSnapshot
{
    /// <summary>All items that exist at <paramref name="upTo"/>, most interacted first; may be newer than <paramref name="upTo"/>, never older.</summary>
    public static async Task<IReadOnlyList<ItemChange>> ReadAsync(
        IWindowStore windows, IEventLog log, ReadItemEvent read, IReadOnlyDictionary<int, long> upTo, int interactionsForOrder, CancellationToken cancellationToken)
    {
        // Before the catalogue is read: what lands meanwhile is then read twice, which does no harm.
        var covered = upTo.Keys.ToDictionary(partition => partition, partition => windows.NextOffset(Topics.Items, partition));

        var catalogue = new Dictionary<ItemId, ItemChange>();
        foreach (var stored in windows.ReadCatalogue())
            if (stored.Event is not null)
                catalogue[stored.Id] = new ItemChange(stored.Id, stored.Offset, stored.Event);

        foreach (var change in await ReadTailAsync(log, read, covered, upTo, cancellationToken))
        {
            if (catalogue.TryGetValue(change.Id, out var known) && known.Offset >= change.Offset) continue;
            if (change.Event is null) catalogue.Remove(change.Id);
            else catalogue[change.Id] = change;
        }

        var users = interactionsForOrder > 0 ? CountInteractions(windows, interactionsForOrder) : [];
        return [.. catalogue.Values.OrderByDescending(item => users.GetValueOrDefault(item.Id)).ThenBy(item => item.Id)];
    }

    private static async Task<IReadOnlyCollection<ItemChange>> ReadTailAsync(
        IEventLog log, ReadItemEvent read, Dictionary<int, long> from, IReadOnlyDictionary<int, long> upTo, CancellationToken cancellationToken)
    {
        var open = upTo.Where(partition => from[partition.Key] < partition.Value).ToDictionary();
        var newest = new Dictionary<ItemId, ItemChange>();
        if (open.Count == 0) return newest.Values;

        // What a partition without a tail delivers lies beyond upTo and is passed over.
        await using var subscription = log.Subscribe(Topics.Items, ReaderGroups.IndexerRebuild, partition => from.GetValueOrDefault(partition));
        while (open.Count > 0)
        {
            var batch = await subscription.ReadAsync(1000, cancellationToken);
            int partition = batch.Partition;
            if (!open.TryGetValue(partition, out long end)) continue;
            foreach (var change in ItemChange.NewestOf([.. batch.Where(message => message.Offset < end)], read))
                newest[change.Id] = change;
            if (batch.NextOffset >= end) open.Remove(partition);
        }
        return newest.Values;
    }

    private static Dictionary<ItemId, int> CountInteractions(IWindowStore windows, int newest)
    {
        var window = windows.Read(new WindowQuery { LastN = newest });
        var counts = new int[window.Items.Count];
        foreach (int item in window.Item) counts[item]++;
        return window.Items.Zip(counts).ToDictionary(pair => pair.First, pair => pair.Second);
    }
}
