namespace BeeFormer.Streaming.Api;

/// <summary>Maximal marginal relevance (Carbonell and Goldstein 1998): an item is worth less the more it resembles one that stands above it.</summary>
public static class Diversity
{
    /// <param name="score">Of the <see cref="Blend"/>.</param>
    /// <param name="likeness">Greatest cosine to an item above, from 0: to be unlike all of them is no merit.</param>
    /// <param name="diversity"><see cref="RankingOptions.Diversity"/>: 0, the score alone counts; 1, the likeness alone.</param>
    /// <returns>What places are given by.</returns>
    public static double Value(double score, double likeness, double diversity) => (1 - diversity) * score - diversity * likeness;
}
