using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// How much attention items get of late: Σ weight · 2^(−age / half-life), age in event time against the newest event seen; so the ranking depends on the events
/// alone, not on when they were read nor in which order. Safe for several threads.
/// </summary>
public sealed class PopularityCounter
{
    // Beyond 2^500 the sums are brought back to a newer reference time.
    private const double LargestExponent = 500;

    private readonly Lock _lock = new();
    private readonly Dictionary<ItemId, double> _sums = [];
    private readonly double _halfLifeMs;
    private long _referenceMs;
    private long _newestMs;
    private bool _any;

    public PopularityCounter(TimeSpan halfLife)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(halfLife, TimeSpan.Zero);
        _halfLifeMs = halfLife.TotalMilliseconds;
    }

    public void Add(ItemId item, double weight, long timestampMs)
    {
        if (!(weight > 0) || !double.IsFinite(weight)) return;
        lock (_lock)
        {
            if (!_any) (_referenceMs, _newestMs, _any) = (timestampMs, timestampMs, true);
            _newestMs = Math.Max(_newestMs, timestampMs);
            double exponent = (timestampMs - _referenceMs) / _halfLifeMs;
            if (exponent > LargestExponent)
            {
                MoveReference(timestampMs);
                exponent = 0;
            }
            double sum = _sums.GetValueOrDefault(item) + weight * Math.Pow(2, exponent);
            if (sum > 0) _sums[item] = sum;
        }
    }

    /// <summary>The n most popular items, best first, ties by id; scores as of the newest event.</summary>
    public IReadOnlyList<(ItemId Item, double Score)> Top(int n) => Top(n, _ => true);

    /// <summary>The n most popular of the items that <paramref name="admitted"/> lets pass.</summary>
    public IReadOnlyList<(ItemId Item, double Score)> Top(int n, Func<ItemId, bool> admitted)
    {
        lock (_lock)
        {
            double toNewest = Math.Pow(2, -(_newestMs - _referenceMs) / _halfLifeMs);
            // The worst of the best lies on top and gives way.
            var best = new PriorityQueue<ItemId, (double Sum, ItemId Item)>(WorstFirst);
            foreach (var (item, sum) in _sums)
            {
                if (!admitted(item)) continue;
                if (best.Count < n) best.Enqueue(item, (sum, item));
                else if (n > 0) best.EnqueueDequeue(item, (sum, item));
            }
            var ranked = new (ItemId, double)[best.Count];
            for (int place = ranked.Length - 1; place >= 0; place--)
            {
                best.TryDequeue(out var item, out var key);
                ranked[place] = (item, key.Sum * toNewest);
            }
            return ranked;
        }
    }

    /// <summary>The popularity of these items as shares of the most popular one's; 0 for what nobody has touched.</summary>
    public IReadOnlyDictionary<ItemId, double> Shares(IReadOnlyCollection<ItemId> items)
    {
        lock (_lock)
        {
            double most = _sums.Count == 0 ? 1 : _sums.Values.Max();
            return items.ToDictionary(item => item, item => _sums.GetValueOrDefault(item) / most);
        }
    }

    private static readonly Comparer<(double Sum, ItemId Item)> WorstFirst = Comparer<(double Sum, ItemId Item)>.Create((left, right) =>
        left.Sum.CompareTo(right.Sum) is var bySum and not 0 ? bySum : right.Item.CompareTo(left.Item));

    private void MoveReference(long toMs)
    {
        double factor = Math.Pow(2, -(toMs - _referenceMs) / _halfLifeMs);
        foreach (var item in _sums.Keys.ToList())
        {
            double sum = _sums[item] * factor;
            if (sum > 0) _sums[item] = sum;
            else _sums.Remove(item);
        }
        _referenceMs = toMs;
    }
}
