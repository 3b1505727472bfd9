namespace BeeFormer.Streaming.Api;

/// <summary>The score that recommendations are ranked by: a weighted sum of what the model, everybody's purchases and the user's own purchases say.</summary>
public static class Blend
{
    /// <param name="cosine">Between user and item.</param>
    /// <param name="popularity">The item's popularity as a share of the most popular item's, 0 to 1.</param>
    /// <param name="own">The item's place in <see cref="OwnHistory"/>, −1 to 1; 0: not in it.</param>
    public static double Score(double cosine, double popularity, double own, RankingOptions weights) =>
        weights.Model * cosine + weights.Popularity * Flattened(popularity) + weights.History * own;

    /// <summary>The fourth root: popularity spans orders of magnitude, cosines do not.</summary>
    private static double Flattened(double share) => Math.Sqrt(Math.Sqrt(share));
}
