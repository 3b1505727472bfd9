using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Standalone.Replay;

namespace BeeFormer.Streaming.Standalone.Tests.Replay;

public sealed class BlendedScoresTests
{
    private const float Never = float.NegativeInfinity;
    // The 20 nearest are always looked at; item 20 is near nobody, item 21 popular, item 22 has no vector, item 23 nobody has touched.
    private static readonly float[] Cosines = [.. Enumerable.Range(0, 20).Select(n => 0.9f - n / 100f), 0.1f, 0.1f, Never, 0.1f];
    private static readonly float[] Popularity = [.. Enumerable.Repeat(Never, 20), 1, 16, 99, Never];
    private static readonly RankingOptions Options = new() { Model = 1, Popularity = 2, History = 3, Candidates = 1 };

    [Fact]
    public void Score_sums_cosine_popularity_and_own_history()
    {
        float[] blended = BlendedScores.Of(Cosines, [.. Popularity[..22], 16, Never], [(20, 0.5), (0, -1)], Options);
        Assert.Equal(0.9f - 3, blended[0], 5);
        Assert.Equal(0.89f, blended[1], 5);
        Assert.Equal(0.1 + 2 * Math.Pow(1 / 16.0, 0.25) + 1.5, blended[20], 5);
        Assert.Equal(0.1f + 2, blended[21], 5);
    }

    [Fact]
    public void New_items_gain_by_their_weight()
    {
        var options = new RankingOptions { Model = 1, Popularity = 2, Candidates = 1, Recency = 0.5, RecencyAttribute = "released" };
        float[] blended = BlendedScores.Of(Cosines, Popularity, [], options, item => item == 3 ? 0.5 : 0);
        Assert.Equal(0.87f + 0.25, blended[3], 5);
        Assert.Equal(0.86f, blended[4], 5);
    }

    [Fact]
    public void Items_that_no_part_puts_forward_or_that_may_not_come_in_are_in_no_ranking()
    {
        float[] blended = BlendedScores.Of(Cosines, Popularity, [(22, 1)], Options);
        Assert.Equal([20, 22, 23], Enumerable.Range(0, Cosines.Length).Where(item => float.IsNegativeInfinity(blended[item])));
    }

    [Fact]
    public void Model_alone_keeps_its_order()
    {
        float[] blended = BlendedScores.Of(Cosines, Popularity, [(20, 1)], new RankingOptions { Popularity = 0, History = 0, Candidates = 1 });
        Assert.Equal(Cosines[..20], blended[..20]);
        Assert.All(blended[20..], score => Assert.Equal(Never, score));
    }
}
