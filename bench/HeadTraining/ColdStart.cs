using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.HeadTraining;

/// <summary>The cold-start protocol: for each user, cold items ranked by their cosine with the sum of the user's warm items; calibrated recall and NDCG against the user's cold items.</summary>
internal sealed record ColdStart(int Users, double RecallAt20, double RecallAt50, double NdcgAt100)
{
    public override string ToString() => FormattableString.Invariant($"{RecallAt20:F4} / {RecallAt50:F4} / {NdcgAt100:F4}");

    /// <param name="vectors">Rows of length 1.</param>
    public static ColdStart Evaluate(DataSet data, EmbeddingMatrix vectors)
    {
        int[] cold = [.. data.Cold.Index().Where(item => item.Item).Select(item => item.Index)];
        var byUser = Enumerable.Range(0, data.User.Length).GroupBy(n => data.User[n], n => data.Item[n]).ToArray();
        var measures = new (double R20, double R50, double Ndcg)?[byUser.Length];
        Parallel.For(0, byUser.Length, new ParallelOptions { MaxDegreeOfParallelism = 2 }, u =>
        {
            var warm = byUser[u].Where(item => !data.Cold[item]).ToArray();
            var relevant = byUser[u].Where(item => data.Cold[item]).ToHashSet();
            if (warm.Length == 0 || relevant.Count == 0) return;
            var profile = new float[vectors.Dimension];
            foreach (int item in warm) RowArithmetic.AddScaled(vectors.Row(item), 1, profile);
            var scores = cold.Select(item => -RowArithmetic.Dot(profile, vectors.Row(item))).ToArray();
            var ranking = (int[])cold.Clone();
            Array.Sort(scores, ranking);
            double dcg = 0, ideal = 0;
            for (int rank = 0; rank < Math.Min(100, ranking.Length); rank++)
                if (relevant.Contains(ranking[rank])) dcg += 1 / Math.Log2(rank + 2);
            for (int rank = 0; rank < Math.Min(100, relevant.Count); rank++) ideal += 1 / Math.Log2(rank + 2);
            measures[u] = (Recall(20), Recall(50), dcg / ideal);

            double Recall(int k) => ranking.Take(k).Count(relevant.Contains) / (double)Math.Min(k, relevant.Count);
        });
        var counted = measures.OfType<(double R20, double R50, double Ndcg)>().ToArray();
        return new ColdStart(counted.Length, counted.Average(m => m.R20), counted.Average(m => m.R50), counted.Average(m => m.Ndcg));
    }
}
