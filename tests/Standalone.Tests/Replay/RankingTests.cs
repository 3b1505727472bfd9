using BeeFormer.Streaming.Standalone.Replay;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.Standalone.Tests.Replay;

public sealed class RankingTests
{
    [Property(MaxTest = 500)]
    public void Places_agree_with_sorting(byte[] values, byte pick, byte[] seen)
    {
        if (values.Length == 0) return;
        float[] scores = [.. values.Select(value => (float)(value % 16))]; // many ties
        int item = pick % scores.Length;
        int[] order = [.. Enumerable.Range(0, scores.Length).OrderByDescending(n => scores[n]).ThenBy(n => n)];
        Assert.Equal(Array.IndexOf(order, item), Ranking.Above(scores, item));

        int[] others = [.. seen.Select(n => n % scores.Length).Distinct().Where(n => n != item)];
        int[] masked = [.. order.Except(others)];
        Assert.Equal(Array.IndexOf(masked, item), Ranking.Above(scores, item) - Ranking.AboveAmong(scores, item, others, others.Length));
    }

    [Property(MaxTest = 500)]
    public void Top_agrees_with_sorting(byte[] values, byte depth)
    {
        float[] scores = [.. values.Select(value => value < 20 ? float.NegativeInfinity : value % 32)];
        int[] top = new int[depth % 25 + 1];
        int count = Ranking.Top(scores, top);
        Assert.Equal(
            Enumerable.Range(0, scores.Length).Where(n => !float.IsNegativeInfinity(scores[n])).OrderByDescending(n => scores[n]).ThenBy(n => n).Take(top.Length),
            top.Take(count));
    }

    [Fact]
    public void One_right_answer_gives_recall_and_gain_by_its_place()
    {
        var measures = new PeriodMeasures();
        measures.Add(0);
        measures.Add(2);
        measures.Add(20);
        measures.Add(int.MaxValue);
        measures.AddNew(1);
        measures.Show([1, 9, 9], 10);
        measures.Describe(0.5, 3, 1);
        measures.Describe(null, 1, 1);
        PeriodRow row = PeriodMeasures.Sum([measures, measures]).Row("x", 10);
        Assert.Equal((0.5, 0.5), (row.Likeness, row.NewShare));
        Assert.Equal((0.5, (1 + 0.5) / 4, 0.2), (row.Recall, row.Ndcg, row.Coverage));
        Assert.Equal((1, 1 / Math.Log2(3)), (row.RecallNew, row.NdcgNew));
    }

    [Fact]
    public void Popularity_fades_and_survives_years()
    {
        const long Day = 24 * 60 * 60 * 1000L;
        var popularity = new RecentPopularity(3, TimeSpan.FromDays(7));
        for (int n = 0; n < 3; n++) popularity.Add(0, 1, 0);
        popularity.Add(1, 1, 14 * Day); // three events two half-lives ago weigh 0.75
        Assert.True(popularity.Scores[1] > popularity.Scores[0]);
        for (int n = 0; n < 5_000; n++) popularity.Add(2, 1, n * Day);
        Assert.All(popularity.Scores.ToArray(), score => Assert.True(float.IsFinite(score)));
        Assert.True(popularity.Scores[2] > popularity.Scores[1]);
    }
}
