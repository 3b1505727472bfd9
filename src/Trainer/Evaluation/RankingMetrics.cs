namespace BeeFormer.Streaming.Trainer;

/// <summary>Measures of rankings against the items that the users really chose, as recpack computes them. Users without relevant items count in none.</summary>
public static class RankingMetrics
{
    /// <summary>Hits in the first k, divided by min(k, number of relevant items).</summary>
    public static double CalibratedRecall(ReadOnlySpan<int> ranking, IReadOnlySet<int> relevant, int k) =>
        Hits(ranking, relevant, k) / (double)Math.Min(k, relevant.Count);

    /// <summary>Number of hits in the first k.</summary>
    public static int Hits(ReadOnlySpan<int> ranking, IReadOnlySet<int> relevant, int k)
    {
        int hits = 0;
        foreach (int item in ranking[..Math.Min(k, ranking.Length)])
            if (relevant.Contains(item)) hits++;
        return hits;
    }

    /// <summary>Gain 1, discount 1/log₂(rank + 1), over the best that min(k, relevant) hits can reach.</summary>
    public static double Ndcg(ReadOnlySpan<int> ranking, IReadOnlySet<int> relevant, int k)
    {
        double gained = 0, best = 0;
        for (int n = 0; n < Math.Min(k, ranking.Length); n++)
            if (relevant.Contains(ranking[n])) gained += 1 / Math.Log2(n + 2);
        for (int n = 0; n < Math.Min(k, relevant.Count); n++) best += 1 / Math.Log2(n + 2);
        return gained / best;
    }

    /// <summary>Share of the catalogue that is in somebody's first k.</summary>
    public static double Coverage(IEnumerable<int[]> rankings, int k, int catalogue) =>
        catalogue == 0 ? 0 : rankings.SelectMany(ranking => ranking.Take(k)).Distinct().Count() / (double)catalogue;
}
