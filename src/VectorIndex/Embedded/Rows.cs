using System.Runtime.Intrinsics;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// What a collection holds, by columns: vectors lie one after the other in blocks, rows without gaps (the last row moves into the place of a deleted one).
/// A row is padded with zeros to a multiple of 16 numbers, so that the scan has no remainders.
/// </summary>
internal sealed class Rows(int dimension)
{
    private const int Lanes = 16;
    private const int RowsPerBlock = 4096;
    private readonly int stride = (dimension + Lanes - 1) / Lanes * Lanes;
    private readonly List<float[]> blocks = []; // each [RowsPerBlock, stride]
    private readonly List<IndexedItem> items = []; // without vectors
    private readonly List<bool> available = [];
    private readonly Dictionary<ItemId, int> rowOf = [];
    private readonly Dictionary<ItemId, long> deleted = [];
    private ItemId[]? sorted;

    public int Count => items.Count;

    /// <summary>About what a compacted log would take.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>An upsert must be newer than what is known, a deletion as new: of both at one revision, the deletion wins.</summary>
    public bool WouldChange(Change change)
    {
        if (deleted.TryGetValue(change.Id, out long gone) && change.Revision <= gone) return false;
        return !rowOf.TryGetValue(change.Id, out int row) || (change.Item is null ? change.Revision >= items[row].Revision : change.Revision > items[row].Revision);
    }

    public void Apply(Change change)
    {
        if (!WouldChange(change)) return;
        Remove(change.Id);
        if (change.Item is null)
        {
            if (!deleted.ContainsKey(change.Id)) LiveBytes += Size(change);
            deleted[change.Id] = change.Revision;
            return;
        }
        if (deleted.Remove(change.Id)) LiveBytes -= Size(new Change(change.Id, 0, null));
        int row = items.Count;
        if (row == blocks.Count * RowsPerBlock) blocks.Add(new float[RowsPerBlock * stride]);
        change.Item.Vector.CopyTo(Vector(row));
        items.Add(change.Item with { Vector = [] });
        available.Add(change.Item.Available);
        rowOf[change.Id] = row;
        LiveBytes += Size(change);
        sorted = null;
    }

    /// <summary>All that a new log needs to say.</summary>
    public IEnumerable<Change> Changes() =>
        Enumerable.Range(0, items.Count).Select(row => new Change(items[row].Id, items[row].Revision, Item(row)))
            .Concat(deleted.Select(gone => Change.Delete(gone.Key, gone.Value)));

    public IReadOnlyList<IndexedItem> Fetch(IReadOnlyList<ItemId> ids) =>
        [.. ids.Distinct().Where(rowOf.ContainsKey).Select(id => Item(rowOf[id]))];

    public IReadOnlyList<IndexedItem> Scroll(ItemFilter filter, ItemId? after, int limit) =>
        [.. SortedAfter(after).Where(id => filter.IsEmpty || filter.Admits(items[rowOf[id]])).Take(limit).Select(id => Item(rowOf[id]))];

    public IReadOnlyList<(ItemId Id, long Revision)> Revisions(ItemId? after, int limit) =>
        [.. SortedAfter(after).Take(limit).Select(id => (id, items[rowOf[id]].Revision))];

    public long CountOf(ItemFilter filter) => filter.IsEmpty ? items.Count : items.Count(filter.Admits);

    private ArraySegment<ItemId> SortedAfter(ItemId? after)
    {
        var order = Volatile.Read(ref sorted);
        if (order is null) // readers may do this twice at once; both get the same
        {
            order = [.. rowOf.Keys];
            Array.Sort(order);
            Volatile.Write(ref sorted, order);
        }
        int start = after is { } last ? Array.BinarySearch(order, last) : ~0;
        start = start < 0 ? ~start : start + 1;
        return new ArraySegment<ItemId>(order)[start..];
    }

    /// <param name="query">[dimension], length 1.</param>
    public IReadOnlyList<ScoredItem> Search(float[] query, int k, ItemFilter filter)
    {
        var padded = new float[stride];
        query.CopyTo(padded, 0);
        var best = new BestRows(Math.Min(k, items.Count), items);
        Span<float> scores = stackalloc float[4];
        for (int first = 0; first < items.Count; first += 4) // RowsPerBlock is a multiple of 4: rows past the end exist and are not looked at
        {
            DotFour(padded, blocks[first / RowsPerBlock].AsSpan(first % RowsPerBlock * stride, 4 * stride), scores);
            int count = Math.Min(4, items.Count - first);
            for (int n = 0; n < count; n++)
                if (scores[n] >= best.Threshold && available[first + n] && filter.Admits(items[first + n])) best.Offer(first + n, scores[n]);
        }
        return best.Descending();
    }

    /// <summary>Four rows at a time: each number of the query is loaded once for all four, and four sums in flight hide the latency of the additions.</summary>
    private void DotFour(ReadOnlySpan<float> query, ReadOnlySpan<float> four, Span<float> scores)
    {
        ReadOnlySpan<float> a = four[..stride], b = four.Slice(stride, stride), c = four.Slice(2 * stride, stride), d = four.Slice(3 * stride, stride);
        Vector512<float> sumA = default, sumB = default, sumC = default, sumD = default;
        for (int n = 0; n <= query.Length - Lanes; n += Lanes)
        {
            var q = Vector512.Create(query.Slice(n, Lanes));
            sumA = Vector512.FusedMultiplyAdd(q, Vector512.Create(a.Slice(n, Lanes)), sumA);
            sumB = Vector512.FusedMultiplyAdd(q, Vector512.Create(b.Slice(n, Lanes)), sumB);
            sumC = Vector512.FusedMultiplyAdd(q, Vector512.Create(c.Slice(n, Lanes)), sumC);
            sumD = Vector512.FusedMultiplyAdd(q, Vector512.Create(d.Slice(n, Lanes)), sumD);
        }
        scores[0] = Vector512.Sum(sumA);
        scores[1] = Vector512.Sum(sumB);
        scores[2] = Vector512.Sum(sumC);
        scores[3] = Vector512.Sum(sumD);
    }

    private void Remove(ItemId id)
    {
        if (!rowOf.Remove(id, out int row)) return;
        LiveBytes -= Size(new Change(id, 0, items[row]));
        int last = items.Count - 1;
        if (row != last)
        {
            Vector(last).CopyTo(Vector(row));
            items[row] = items[last];
            available[row] = available[last];
            rowOf[items[row].Id] = row;
        }
        items.RemoveAt(last);
        available.RemoveAt(last);
        if (items.Count == (blocks.Count - 1) * RowsPerBlock) blocks.RemoveAt(blocks.Count - 1);
        sorted = null;
    }

    private IndexedItem Item(int row) => items[row] with { Vector = Vector(row)[..dimension].ToArray() };

    private Span<float> Vector(int row) => blocks[row / RowsPerBlock].AsSpan(row % RowsPerBlock * stride, stride);

    private long Size(Change change) => 16 + change.Id.Value.Length + (change.Item is null ? 0 : 4L * dimension + change.Item.Title.Length + 32L * change.Item.Attributes.Count);
}
