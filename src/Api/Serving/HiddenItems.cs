using System.Collections.Immutable;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Items that were deleted or made unavailable and that the index may still show: known here from the moment the log has them until the Indexer has committed a
/// position behind them. Two tell of them: requests here, at once and in any order (<see cref="Note(ItemId, bool, LogPosition)"/>), and the log, later and in its
/// order (<see cref="Follow"/>). Safe for several threads.
/// </summary>
internal sealed class HiddenItems
{
    private readonly Lock _lock = new();
    // The newest event of an item (a key stays in its partition, so its offsets compare); one that shows it again is kept until the log is read that far, so that an older one read there hides nothing.
    private readonly Dictionary<ItemId, (LogPosition At, bool Hidden)> _newest = [];
    private readonly Dictionary<int, long> _followed = [];
    private volatile ImmutableHashSet<ItemId> _current = [];
    private volatile bool _complete;

    /// <summary>A set that no longer changes.</summary>
    public IReadOnlySet<ItemId> Current => _current;

    /// <summary>All is known that was in the log at start. Before that no answer may be given.</summary>
    public bool IsComplete => _complete;

    public void Complete() => _complete = true;

    /// <summary>Takes note of an item event that a request wrote to the log; an older one than known changes nothing.</summary>
    public void Note(ItemId item, bool hidden, LogPosition at) => Note([(item, hidden, at)]);

    public void Note(IReadOnlyList<(ItemId Item, bool Hidden, LogPosition At)> events)
    {
        lock (_lock)
        {
            var next = _current.ToBuilder();
            foreach (var (item, hidden, at) in events)
            {
                if (_newest.TryGetValue(item, out var newest) && newest.At.Offset > at.Offset) continue;
                // Noted late, when the log is read past it: to hide is right whatever was read there, until the Indexer has passed; to show again needs no keeping.
                if (hidden || at.Offset >= _followed.GetValueOrDefault(at.Partition)) _newest[item] = (at, hidden);
                else _newest.Remove(item);
                Show(next, item, hidden);
            }
            _current = next.ToImmutable();
        }
    }

    /// <summary>Takes note of what the log holds below <paramref name="nextOffset"/> of a partition; all before it was given already.</summary>
    public void Follow(int partition, long nextOffset, IReadOnlyList<(ItemId Item, bool Hidden, long Offset)> events)
    {
        lock (_lock)
        {
            var next = _current.ToBuilder();
            foreach (var (item, hidden, offset) in events)
            {
                if (offset < _followed.GetValueOrDefault(partition) || _newest.TryGetValue(item, out var newest) && newest.At.Offset > offset) continue;
                if (hidden) _newest[item] = (new LogPosition(partition, offset), true);
                else _newest.Remove(item);
                Show(next, item, hidden);
            }
            _followed[partition] = Math.Max(nextOffset, _followed.GetValueOrDefault(partition));
            _current = next.ToImmutable();
        }
    }

    /// <summary>Partitions in which items are hidden.</summary>
    public IReadOnlyList<int> Partitions()
    {
        lock (_lock) return [.. _newest.Values.Where(newest => newest.Hidden).Select(newest => newest.At.Partition).Distinct()];
    }

    /// <summary>The Indexer is done with all below <paramref name="indexed"/>: from now on the index itself knows.</summary>
    public void Release(int partition, long indexed)
    {
        lock (_lock)
        {
            var done = _newest.Where(entry => entry.Value.Hidden && entry.Value.At.Partition == partition && entry.Value.At.Offset < indexed).Select(entry => entry.Key).ToList();
            foreach (var item in done) _newest.Remove(item);
            _current = _current.Except(done);
        }
    }

    private static void Show(ImmutableHashSet<ItemId>.Builder hiddenItems, ItemId item, bool hidden)
    {
        if (hidden) hiddenItems.Add(item);
        else hiddenItems.Remove(item);
    }
}
