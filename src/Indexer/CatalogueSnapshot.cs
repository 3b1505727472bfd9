using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Indexer;

/// <summary>
/// The catalogue as of given log positions: what the WindowStore holds, and from the log what had not landed there yet. In memory are ids and revisions;
/// descriptions lie in a file and are read when they are asked for.
/// </summary>
internal sealed class CatalogueSnapshot : IDisposable
{
    private const int AtOnce = 256;

    private readonly CatalogueFile _file = new();
    private readonly Dictionary<ItemId, Place> _places = [];
    private readonly Dictionary<ItemId, ItemChange> _tail;
    private readonly long _complete;

    private CatalogueSnapshot(IWindowStore windows, Dictionary<ItemId, ItemChange> tail, IReadOnlyDictionary<int, long> upTo, int interactionsForOrder)
    {
        _tail = tail;
        _complete = upTo.Values.DefaultIfEmpty(0).Min();
        try
        {
            windows.ScanCatalogue(upTo, descriptions: true, row =>
            {
                if (row.Json is null) _places[row.Id] = new Place(row.Offset, 0, 0);
                else if (!tail.ContainsKey(row.Id))
                {
                    var (position, length) = _file.Append(row.Json);
                    _places[row.Id] = new Place(row.Offset, position, length);
                }
            });
            _file.Complete();
            foreach (var change in tail.Values) _places[change.Id] = new Place(change.Offset, 0, change.Event is null ? 0 : 1);
            _places.TrimExcess();
            ItemId[] items = [.. _places.Where(item => item.Value.Length > 0).Select(item => item.Key)];
            if (interactionsForOrder > 0) MostInteractedFirst(items, windows, interactionsForOrder);
            Items = items;
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>All items that exist, most interacted first where that was asked for.</summary>
    public IReadOnlyList<ItemId> Items { get; }

    /// <param name="upTo">For each partition of <c>items</c> the first offset left out.</param>
    /// <param name="interactionsForOrder">Newest interactions that decide the order; 0: any order.</param>
    public static async Task<CatalogueSnapshot> ReadAsync(
        IWindowStore windows, IEventLog log, ReadItemEvent read, IReadOnlyDictionary<int, long> upTo, int interactionsForOrder, CancellationToken cancellationToken) =>
        new(windows, await TailAsync(windows, log, read, upTo, cancellationToken), upTo, interactionsForOrder);

    /// <summary>How many items existed at these positions.</summary>
    public static async Task<long> CountAsync(IWindowStore windows, IEventLog log, ReadItemEvent read, IReadOnlyDictionary<int, long> upTo, CancellationToken cancellationToken)
    {
        var tail = await TailAsync(windows, log, read, upTo, cancellationToken);
        long count = tail.Values.Count(change => change.Event is not null);
        windows.ScanCatalogue(upTo, descriptions: false, row =>
        {
            if (row.Json is not null && !tail.ContainsKey(row.Id)) count++;
        });
        return count;
    }

    /// <summary>The item's newest revision, and whether it exists; null for an item that was never described.</summary>
    public (long Revision, bool Exists)? Find(ItemId id) => _places.TryGetValue(id, out var place) ? (place.Offset, place.Length > 0) : null;

    /// <summary>Items that were deleted at this revision or later.</summary>
    public IEnumerable<(ItemId Id, long Revision)> DeletedSince(long revision) =>
        _places.Where(item => item.Value.Length == 0 && item.Value.Offset >= revision).Select(item => (item.Key, item.Value.Offset));

    /// <summary>Events below this revision are in the snapshot, whatever their partition.</summary>
    public long Complete => _complete;

    /// <summary>About as long as the item's text: texts of like length encode faster together.</summary>
    public int LengthOf(ItemId id) => _places[id].Length;

    /// <summary>Descriptions of items that exist, in this order.</summary>
    public IReadOnlyList<ItemChange> Read(IReadOnlyList<ItemId> items)
    {
        var changes = new ItemChange[items.Count];
        Parallel.For(0, (items.Count + AtOnce - 1) / AtOnce, block =>
        {
            for (int n = block * AtOnce; n < Math.Min(items.Count, (block + 1) * AtOnce); n++) changes[n] = Read(items[n]);
        });
        return changes;
    }

    private ItemChange Read(ItemId id)
    {
        if (_tail.TryGetValue(id, out var change)) return change;
        var place = _places[id];
        return new ItemChange(id, place.Offset, CatalogueRow.Read(_file.Read(place.Position, place.Length)));
    }

    private static async Task<Dictionary<ItemId, ItemChange>> TailAsync(
        IWindowStore windows, IEventLog log, ReadItemEvent read, IReadOnlyDictionary<int, long> upTo, CancellationToken cancellationToken)
    {
        // Before the store is scanned: what lands meanwhile is then read twice, which does no harm.
        var from = upTo.Keys.ToDictionary(partition => partition, partition => windows.NextOffset(Topics.Items, partition));
        var open = upTo.Where(partition => from[partition.Key] < partition.Value).ToDictionary();
        var newest = new Dictionary<ItemId, ItemChange>();
        if (open.Count == 0) return newest;

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
        return newest;
    }

    private static void MostInteractedFirst(ItemId[] items, IWindowStore windows, int newest)
    {
        var window = windows.Read(new WindowQuery { LastN = newest });
        var counts = new int[window.Items.Count];
        foreach (int item in window.Item) counts[item]++;
        var interactions = window.Items.Zip(counts).ToDictionary(pair => pair.First, pair => pair.Second);
        Array.Sort(items, (left, right) => interactions.GetValueOrDefault(right).CompareTo(interactions.GetValueOrDefault(left)) is not 0 and int order ? order : left.CompareTo(right));
    }

    public void Dispose() => _file.Dispose();

    /// <param name="Length">Bytes of the description in the file; 0: the item was deleted.</param>
    private readonly record struct Place(long Offset, long Position, int Length);
}
