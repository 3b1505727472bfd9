using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>The k best rows seen so far: a heap with the worst on top. Equal scores rank by item id.</summary>
internal sealed class BestRows(int k, List<IndexedItem> items)
{
    private readonly PriorityQueue<int, (float Score, ItemId Id)> worstFirst = new(Comparer<(float Score, ItemId Id)>.Create(
        (a, b) => a.Score != b.Score ? a.Score.CompareTo(b.Score) : b.Id.CompareTo(a.Id)));

    /// <summary>A score below this cannot get in.</summary>
    public float Threshold { get; private set; } = float.NegativeInfinity;

    public void Offer(int row, float score)
    {
        if (worstFirst.Count < k) worstFirst.Enqueue(row, (score, items[row].Id));
        else if (k > 0) worstFirst.EnqueueDequeue(row, (score, items[row].Id));
        if (worstFirst.Count == k && worstFirst.TryPeek(out _, out var worst)) Threshold = worst.Score;
    }

    public IReadOnlyList<ScoredItem> Descending()
    {
        var ranked = new ScoredItem[worstFirst.Count];
        for (int n = ranked.Length - 1; n >= 0; n--)
        {
            worstFirst.TryDequeue(out int row, out var rank);
            ranked[n] = new ScoredItem(rank.Id, rank.Score, items[row].Title);
        }
        return ranked;
    }
}
