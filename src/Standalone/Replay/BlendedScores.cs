using BeeFormer.Streaming.Api;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>The served ranking as scores over the catalogue: the <see cref="Blend"/> of the items that the service would look at, minus infinity for all others.</summary>
internal static class BlendedScores
{
    /// <param name="cosines">Minus infinity for an item that may not come in.</param>
    /// <param name="popularity">Of the same moment; minus infinity for what nobody has touched.</param>
    /// <param name="own">The user's <see cref="OwnHistory"/>, items as places in the catalogue; empty where seen items may not come in.</param>
    /// <param name="recency">How new an item is; null: nothing tells it.</param>
    public static float[] Of(ReadOnlySpan<float> cosines, ReadOnlySpan<float> popularity, IReadOnlyList<(int Item, double Strength)> own, RankingOptions options, Func<int, double>? recency = null)
    {
        float[] blended = new float[cosines.Length];
        Array.Fill(blended, float.NegativeInfinity);
        float most = 0;
        foreach (float score in popularity) most = Math.Max(most, score);

        int[] top = new int[Math.Max(options.Candidates, Ranking.Depth)];
        foreach (int item in top.AsSpan(0, Ranking.Top(cosines, top))) blended[item] = Score(item, 0, cosines, popularity);
        if (options.Popularity > 0)
        {
            float[] admitted = popularity.ToArray();
            for (int item = 0; item < admitted.Length; item++)
                if (float.IsNegativeInfinity(cosines[item])) admitted[item] = float.NegativeInfinity;
            top = new int[options.Candidates];
            foreach (int item in top.AsSpan(0, Ranking.Top(admitted, top))) blended[item] = Score(item, 0, cosines, popularity);
        }
        if (options.History > 0)
            foreach ((int item, double strength) in own)
                if (!float.IsNegativeInfinity(cosines[item])) blended[item] = Score(item, strength, cosines, popularity);
        return blended;

        float Score(int item, double strength, ReadOnlySpan<float> cosines, ReadOnlySpan<float> popularity) =>
            (float)Blend.Score(cosines[item], popularity[item] > 0 ? popularity[item] / most : 0, strength, recency?.Invoke(item) ?? 0, options);
    }
}
