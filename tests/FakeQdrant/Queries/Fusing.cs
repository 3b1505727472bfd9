namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>One ranking out of several.</summary>
internal static class Fusing
{
    public static IEnumerable<Hit> Fuse(Fusion fusion, IReadOnlyList<IReadOnlyList<Hit>> rankings) =>
        rankings.SelectMany(ranking => fusion == Fusion.Dbsf ? ByDistribution(ranking) : ByRank(ranking))
            .GroupBy(part => part.Point.Key, part => part)
            .Select(parts => (parts.First().Point, Sum: parts.Sum(part => part.Share)))
            .Select(pair => new Hit(pair.Point, pair.Sum, pair.Sum));

    private static IEnumerable<(Point Point, float Share)> ByRank(IReadOnlyList<Hit> ranking) => ranking.Select((hit, rank) => (hit.Point, 1f / (rank + 2)));

    /// <summary>Scores laid out from mean − 3σ (0) to mean + 3σ (1); those that do not differ are 0.5.</summary>
    private static IEnumerable<(Point Point, float Share)> ByDistribution(IReadOnlyList<Hit> ranking)
    {
        var mean = ranking.Count == 0 ? 0 : ranking.Average(hit => (double)hit.Order);
        var sigma = ranking.Count < 2 ? 0 : Math.Sqrt(ranking.Sum(hit => (hit.Order - mean) * (hit.Order - mean)) / (ranking.Count - 1));
        return ranking.Select(hit => (hit.Point, sigma == 0 ? 0.5f : (float)((hit.Order - mean + 3 * sigma) / (6 * sigma))));
    }
}
