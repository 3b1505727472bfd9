using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.Replay;

namespace BeeFormer.Streaming.Standalone.Tests.Replay;

/// <summary>Thirty items, the first the nearest; two and two have one vector.</summary>
public sealed class ServedListTests : IDisposable
{
    private const int Items = 30;
    private static readonly ItemId[] Ids = [.. Enumerable.Range(0, Items).Select(n => new ItemId($"i{n:D2}"))];
    private static readonly float[] Cosines = [.. Enumerable.Range(0, Items).Select(n => 0.9f - n / 100f)];
    private static readonly Moment Now = new(100, 1_000_000, "ann", 1);

    private readonly ItemVectors vectors = new([.. Enumerable.Range(0, Items).Select(n =>
    {
        float[] row = new float[Items];
        row[n / 2] = 1;
        return row;
    })], Ids.Select((id, n) => (id, n)).ToDictionary(pair => pair.id, pair => pair.n));

    private readonly ItemNovelty novelty = new(Items);
    private readonly float[] popularity = [.. Enumerable.Repeat(10f, Items)];

    public void Dispose() => vectors.Dispose();

    [Fact]
    public void Without_rules_the_scores_decide() => Assert.Equal(Enumerable.Range(0, 20), List(new RankingOptions { History = 0 }));

    [Fact]
    public void Diversity_takes_one_of_each_pair_first()
    {
        int[] list = List(new RankingOptions { Diversity = 1 });
        Assert.Equal(15, list.Take(15).Select(item => item / 2).Distinct().Count());
        Assert.Equal(0, vectors.Likeness(list.AsSpan(0, 15))!.Value, 6);
        Assert.Equal(1 / 6.0, vectors.Likeness([0, 1, 2, 4])!.Value, 6);
        Assert.Null(vectors.Likeness([3]));
    }

    [Fact]
    public void Kept_places_go_to_what_few_have_touched()
    {
        foreach (int item in new[] { 25, 27 }) popularity[item] = 0.5f;
        popularity[29] = float.NegativeInfinity;
        int[] list = List(new RankingOptions { Exploration = 0.1, ExplorationBelow = 1 });
        Assert.Contains(list[9], new[] { 25, 27, 29 });
        Assert.Contains(list[19], new[] { 25, 27, 29 });
        Assert.Equal(Enumerable.Range(0, 18), list.Where((_, place) => place is not (9 or 19)));
    }

    [Fact]
    public void An_item_is_as_old_as_its_first_interaction()
    {
        var options = new RankingOptions { Recency = 10, RecencyAttribute = "first", RecencyHalfLife = TimeSpan.FromSeconds(100) };
        novelty.Add(20, 50, 900_000);
        novelty.Add(21, 99, 990_000);
        novelty.Add(22, 100, 1_000_000); // not before this interaction
        Assert.Equal([21, 20, 0, 1], List(options)[..4]);
        Assert.Equal((true, false), (novelty.IsNew(20, 100), novelty.AgeMs(22, 100, 0).HasValue));
        for (int n = 0; n < ItemNovelty.Few - 1; n++) novelty.Add(20, 60 + n, 950_000);
        Assert.Equal((true, false), (novelty.IsNew(20, 63), novelty.IsNew(20, 64)));
    }

    [Theory]
    [InlineData("Diversity", "KEY=VALUE")]
    [InlineData("Diversity=", "KEY=VALUE")]
    [InlineData("Diversity=0.1,Diversity=0.2", "each key once")]
    [InlineData("Divers=0.1", "Divers")]
    [InlineData("Diversity=much", "much")]
    [InlineData("Diversity=2", "Diversity")]
    [InlineData("Model=0,Popularity=0,History=0", "expected one above 0")]
    [InlineData("MaxPer:brand=2", "MaxPer:brand cannot be measured")]
    [InlineData("Rest=1.00:00:00", "Rest cannot be measured")]
    public void Settings_that_there_are_not_are_refused(string text, string said) =>
        Assert.Contains(said, Assert.Throws<FormatException>(() => RankingVariant.Of(text, new RankingOptions())).Message, StringComparison.Ordinal);

    [Fact]
    public void A_variant_differs_from_what_is_configured_in_what_it_says()
    {
        var configured = new RankingOptions { Popularity = 0.7, Diversity = 0.1 };
        RankingOptions variant = RankingVariant.Of("diversity=0.3,Recency=0.2", configured);
        Assert.Equal((0.7, 0.3, 0.2, true, 0.1), (variant.Popularity, variant.Diversity, variant.Recency, variant.KnowsRecency, configured.Diversity));
    }

    private int[] List(RankingOptions options) => ServedList.Of(Cosines, popularity, [], Now, novelty, vectors, Ids, options);
}
