namespace BeeFormer.Streaming.Api;

/// <summary>The score that recommendations are ranked by: a weighted sum of what the model, everybody's purchases, the user's own purchases and the item's age say.</summary>
public static class Blend
{
    /// <param name="cosine">Between user and item.</param>
    /// <param name="popularity">The item's popularity as a share of the most popular item's, 0 to 1.</param>
    /// <param name="own">The item's place in <see cref="OwnHistory"/>, −1 to 1; 0: not in it.</param>
    /// <param name="recency">How new the item is by <see cref="Api.Recency"/>, 0 to 1.</param>
    /// <returns>The cosine itself where nothing else counts.</returns>
    public static double Score(double cosine, double popularity, double own, double recency, RankingOptions weights) => weights.ModelAlone
        ? cosine
        : weights.Model * cosine + weights.Popularity * Flattened(popularity) + weights.History * own + (weights.KnowsRecency ? weights.Recency * recency : 0);

    /// <summary>The fourth root: popularity spans orders of magnitude, cosines do not.</summary>
    public static double Flattened(double share) => Math.Sqrt(Math.Sqrt(share));
}
