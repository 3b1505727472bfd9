using System.Collections.Frozen;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Items that were deleted or made unavailable and that the index may still show: known here from the moment the log has them until the Indexer has committed a
/// position behind them. Safe for several threads.
/// </summary>
internal sealed class HiddenItems
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ItemId, LogPosition> _positions = [];
    private volatile FrozenSet<ItemId> _current = FrozenSet<ItemId>.Empty;

    /// <summary>A set that no longer changes.</summary>
    public IReadOnlySet<ItemId> Current => _current;

    /// <summary>Takes note of an item event in the log; an older one than known changes nothing.</summary>
    public void Note(ItemId item, bool hidden, LogPosition at) => Note([(item, hidden, at)]);

    public void Note(IReadOnlyList<(ItemId Item, bool Hidden, LogPosition At)> events)
    {
        lock (_lock)
        {
            bool changed = false;
            foreach (var (item, hidden, at) in events)
            {
                // A key stays in its partition, so offsets of one item compare.
                bool known = _positions.TryGetValue(item, out var before);
                if (known && before.Offset >= at.Offset) continue;
                if (hidden) _positions[item] = at;
                else if (known) _positions.Remove(item);
                changed |= hidden != known;
            }
            if (changed) _current = _positions.Keys.ToFrozenSet();
        }
    }

    /// <summary>Partitions in which items are hidden.</summary>
    public IReadOnlyList<int> Partitions()
    {
        lock (_lock) return [.. _positions.Values.Select(position => position.Partition).Distinct()];
    }

    /// <summary>The Indexer is done with all below <paramref name="indexed"/>: from now on the index itself knows.</summary>
    public void Release(int partition, long indexed)
    {
        lock (_lock)
        {
            var done = _positions.Where(entry => entry.Value.Partition == partition && entry.Value.Offset < indexed).Select(entry => entry.Key).ToList();
            foreach (var item in done) _positions.Remove(item);
            if (done.Count > 0) _current = _positions.Keys.ToFrozenSet();
        }
    }
}
