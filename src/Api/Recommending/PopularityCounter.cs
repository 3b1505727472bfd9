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
    private const int Best = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<ItemId, double> _sums = [];
    // The same by rank, so that an answer costs what it holds and not the catalogue: adding only ever lifts one item, and age lowers all alike.
    private readonly SortedSet<(double Sum, ItemId Item)> _ranking = new(BestFirst);
    private readonly double _halfLifeMs;
    private long _referenceMs;
    private long _newestMs;
    private bool _any;
    // The best of the ranking with their scores, until something is added: who asks for them does not wait for others.
    private volatile (ItemId Item, double Score)[]? _best;

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
            double before = _sums.GetValueOrDefault(item), sum = before + weight * Math.Pow(2, exponent);
            if (!(sum > 0)) return;
            _best = null;
            _ranking.Remove((before, item));
            _ranking.Add((sum, item));
            _sums[item] = sum;
        }
    }

    /// <summary>The n most popular items, best first, ties by id; scores as of the newest event.</summary>
    public IReadOnlyList<(ItemId Item, double Score)> Top(int n) => Top(n, _ => true);

    /// <summary>The n most popular of the items that <paramref name="admitted"/> lets pass.</summary>
    public IReadOnlyList<(ItemId Item, double Score)> Top(int n, Func<ItemId, bool> admitted)
    {
        var best = _best;
        if (best is null)
            lock (_lock) _best = best = First(Best, _ => true);
        List<(ItemId, double)> top = [.. best.Where(entry => admitted(entry.Item)).Take(n)];
        if (top.Count == n || best.Length < Best) return top;
        lock (_lock) return First(n, admitted);
    }

    private (ItemId Item, double Score)[] First(int n, Func<ItemId, bool> admitted)
    {
        double toNewest = ToNewest();
        return [.. _ranking.Where(entry => admitted(entry.Item)).Take(n).Select(entry => (entry.Item, entry.Sum * toNewest))];
    }

    /// <summary>The popularity of these items as shares of the most popular one's; 0 for what nobody has touched.</summary>
    public IReadOnlyDictionary<ItemId, double> Shares(IReadOnlyCollection<ItemId> items)
    {
        var (sums, most, _) = Sums(items);
        return items.Zip(sums).ToDictionary(item => item.First, item => item.Second / most);
    }

    /// <summary>How many interactions these items had of late, weighted and decayed, as of the newest event.</summary>
    public IReadOnlyDictionary<ItemId, double> Of(IReadOnlyCollection<ItemId> items)
    {
        var (sums, _, toNewest) = Sums(items);
        return items.Zip(sums).ToDictionary(item => item.First, item => item.Second * toNewest);
    }

    /// <summary>Copied, so that the lock is held for no longer than that takes.</summary>
    private (double[] Sums, double Most, double ToNewest) Sums(IReadOnlyCollection<ItemId> items)
    {
        var sums = new double[items.Count];
        int n = 0;
        lock (_lock)
        {
            foreach (var item in items) sums[n++] = _sums.GetValueOrDefault(item);
            return (sums, _ranking.Count == 0 ? 1 : _ranking.Min.Sum, ToNewest()); // the smallest in this order is the best
        }
    }

    private double ToNewest() => Math.Pow(2, -(_newestMs - _referenceMs) / _halfLifeMs);

    private static readonly Comparer<(double Sum, ItemId Item)> BestFirst = Comparer<(double Sum, ItemId Item)>.Create((left, right) =>
        right.Sum.CompareTo(left.Sum) is var bySum and not 0 ? bySum : left.Item.CompareTo(right.Item));

    private void MoveReference(long toMs)
    {
        double factor = Math.Pow(2, -(toMs - _referenceMs) / _halfLifeMs);
        foreach (var item in _sums.Keys.ToList())
        {
            double sum = _sums[item] * factor;
            if (sum > 0) _sums[item] = sum;
            else _sums.Remove(item);
        }
        _ranking.Clear();
        foreach (var (item, sum) in _sums) _ranking.Add((sum, item));
        _referenceMs = toMs;
    }
}
