using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.DataSets;
using BeeFormer.Streaming.Standalone.Replay;
using BeeFormer.Streaming.Trainer;

namespace BeeFormer.Streaming.Standalone.Tests.Replay;

public sealed class RehearsalTests
{
    private const int Items = 60;
    private readonly Dictionary<ItemId, int> places = Enumerable.Range(0, Items).ToDictionary(n => new ItemId($"i{n:D2}"), n => n);

    [Fact]
    public void Nothing_of_an_interaction_is_known_before_it_is_predicted()
    {
        // Each user touches one item once: without histories and with ever new items, nobody can foretell anything.
        InteractionTable table = Table([.. Enumerable.Range(0, Items).Select(n => (n, n))]);
        ReplayCheckpoint measured = Measure(table, batches: [Items]);
        Assert.Equal(0, measured.Of(Rehearsal.Popularity, 0).Hits);
        Assert.Equal(0, measured.Of("m", 0).Hits);
    }

    [Fact]
    public void Neighbours_in_vector_space_are_found_and_what_was_seen_is_masked_among_new_items()
    {
        // Items come in pairs of equal vectors: after the first of a pair, the second is the nearest new one.
        (int, int)[] pairs = [.. Enumerable.Range(0, 25).SelectMany(user => new[] { (user, 2 * user), (user, 2 * user + 1), (user, 2 * user) })];
        PeriodMeasures measures = Measure(Table(pairs), batches: [pairs.Length]).Of("m", 0);
        Assert.Equal(75, measures.Count);
        Assert.Equal(50, measures.CountNew);
        Assert.True(measures.HitsNew >= 25, $"{measures.HitsNew} of the 25 second halves were found");
    }

    [Fact]
    public void Own_history_finds_what_is_bought_again_and_misses_what_is_new()
    {
        // Nobody is foretold the first item; 1 and 2 are new, 0 comes back as the strongest.
        PeriodMeasures measures = Measure(Table([(0, 0), (0, 1), (0, 0), (0, 2), (0, 0)]), [5]).Of(Rehearsal.History, 0);
        Assert.Equal((5, 2), (measures.Count, measures.Hits));
        Assert.Equal((3, 0), (measures.CountNew, measures.HitsNew));
        Assert.Equal(1 / Math.Log2(3) + 1, measures.Gain, 1e-9); // second behind the newer 1, then first by two purchases
    }

    [Fact]
    public void Served_ranking_finds_what_its_parts_find()
    {
        // Item 59 is popular, item 0 the user's own; the vectors lead nowhere.
        (int, int)[] others = [.. Enumerable.Range(1, 20).Select(user => (user, 59))];
        InteractionTable table = Table([(0, 0), .. others, (0, 59), (0, 0)]);
        ReplayCheckpoint measured = Measure(table, [22, 1]);
        PeriodMeasures served = measured.Of(Rehearsal.Served, 0), popularity = measured.Of(Rehearsal.Popularity, 0), model = measured.Of("m", 0);
        Assert.Equal(popularity.HitsNew, served.HitsNew);
        Assert.Equal(model.HitsNew + 1, served.HitsNew);
        Assert.True(served.Gain > model.Gain, $"{served.Gain} served, {model.Gain} by the model");
    }

    [Fact]
    public void Elsa_learns_once_a_period_from_what_came_before_it()
    {
        // In the first week items 2n and 2n + 1 go together, in the second users who touched one are foretold the other.
        (int, int)[] together = [.. Enumerable.Range(0, 24).SelectMany(user => new[] { (user, 2 * (user % 6)), (user, 2 * (user % 6) + 1) })];
        (int, int)[] later = [.. Enumerable.Range(24, 6).SelectMany(user => new[] { (user, 2 * (user - 24)), (user, 2 * (user - 24) + 1) })];
        InteractionTable table = Table([.. together, .. later]);
        long[] times = [.. table.TimestampMs.Select((time, n) => n < together.Length ? time : time + 7 * 86_400_000L)];
        var measured = new ReplayCheckpoint { Run = "r" };
        Go(table with { TimestampMs = times }, measured, 0, 0, table.Count);
        Assert.Equal(measured.Of(Rehearsal.Popularity, 0).Row("", Items), measured.Of(Rehearsal.Elsa, 0).Row("", Items)); // knows nothing yet: what is popular
        double second = Enumerable.Range(1, 2).Sum(period => measured.Of(Rehearsal.Elsa, period).Gain);
        Assert.True(second > Enumerable.Range(1, 2).Sum(period => measured.Of(Rehearsal.Popularity, period).Gain), $"{second}");
    }

    [Fact]
    public void Going_on_after_a_restart_measures_the_same_as_one_run()
    {
        var random = new Random(3);
        (int, int)[] touches = [.. Enumerable.Range(0, 400).Select(_ => (random.Next(20), random.Next(Items)))];
        InteractionTable table = Table(touches);
        table = table with { TimestampMs = [.. table.TimestampMs.Select((time, n) => time + n * 3_600_000L)] }; // three weeks
        ReplayCheckpoint straight = Measure(table, [400]), inParts = Measure(table, [130, 1, 269]);

        var resumed = new ReplayCheckpoint { Run = "r" };
        Go(table, resumed, 0, 0, 150);
        Go(table, resumed, 150, 150, 400); // a new process: histories and popularity come from the file
        foreach (string name in new[] { "m", Rehearsal.Popularity, Rehearsal.History, Rehearsal.Elsa, Rehearsal.Served, "diverse", "exploring", Rehearsal.Alike, Rehearsal.ByOrder })
        {
            Assert.Equal([0, 1, 2], straight.Measures[name].Keys);
            for (int period = 0; period < 3; period++)
            {
                Assert.Equal(straight.Of(name, period).Row(name, Items), inParts.Of(name, period).Row(name, Items));
                Assert.Equal(straight.Of(name, period).Row(name, Items), resumed.Of(name, period).Row(name, Items));
            }
        }
        Assert.NotEqual(straight.Of(Rehearsal.Popularity, 2).Row("", Items), straight.Of(Rehearsal.Elsa, 2).Row("", Items)); // it has learned
        PeriodRow served = straight.Of(Rehearsal.Served, 2).Row("", Items), diverse = straight.Of("diverse", 2).Row("", Items);
        Assert.True(diverse.Likeness < served.Likeness, $"{diverse.Likeness} < {served.Likeness}");
    }

    [Fact]
    public void Items_that_the_catalogue_lacks_are_counted_and_not_predicted()
    {
        InteractionTable table = Table([(0, 0), (0, 1)]) with { Items = [new ItemId("i00"), new ItemId("unknown")] };
        ReplayCheckpoint measured = Measure(table, [2]);
        Assert.Equal((1, 1), (measured.UnknownItems, measured.Of("m", 0).Count));
    }

    private ReplayCheckpoint Measure(InteractionTable table, int[] batches)
    {
        var measured = new ReplayCheckpoint { Run = "r" };
        var rehearsal = Rehearse(table, measured);
        using ItemVectors vectors = Vectors();
        using PeriodElsa elsa = Elsa(table);
        int first = 0;
        foreach (int batch in batches)
        {
            rehearsal.Measure(first, first + batch, [("m", vectors)], elsa, TestContext.Current.CancellationToken);
            first += batch;
        }
        return measured;
    }

    private void Go(InteractionTable table, ReplayCheckpoint measured, int known, int first, int end)
    {
        Rehearsal rehearsal = Rehearse(table, measured);
        rehearsal.Recall(0, known);
        using ItemVectors vectors = Vectors();
        using PeriodElsa elsa = Elsa(table);
        rehearsal.Measure(first, end, [("m", vectors)], elsa, TestContext.Current.CancellationToken);
    }

    private Rehearsal Rehearse(InteractionTable table, ReplayCheckpoint measured) =>
        new(table, "purchase", places, new Periods(table, TimeSpan.FromDays(7)), measured, new UserVectorOptions(), new RankingOptions { Rest = TimeSpan.Zero }, TimeSpan.FromDays(7), 200,
            ("diverse", new RankingOptions { Diversity = 0.5 }), ("exploring", new RankingOptions { Exploration = 0.2, ExplorationBelow = 2, Recency = 0.1, RecencyAttribute = "first" }));

    private PeriodElsa Elsa(InteractionTable table) =>
        new(table, "purchase", places, new Periods(table, TimeSpan.FromDays(7)), new TrainingPolicy { ElsaFactors = 8 }, new UserVectorOptions());

    private ItemVectors Vectors()
    {
        float[]?[] rows = new float[]?[Items];
        for (int n = 0; n < Items; n++)
        {
            rows[n] = new float[Items];
            rows[n]![n / 2] = 1;
        }
        return new ItemVectors(rows, places);
    }

    private static InteractionTable Table((int User, int Item)[] touches) => new(
        [.. Enumerable.Range(0, 64).Select(n => new UserId($"u{n}"))], [.. Enumerable.Range(0, Items).Select(n => new ItemId($"i{n:D2}"))],
        [.. touches.Select(touch => touch.User)], [.. touches.Select(touch => touch.Item)], [.. touches.Select(_ => double.NaN)],
        [.. touches.Select((_, n) => 1_600_000_000_000 + n * 1000L)], [.. touches.Select((_, n) => n + 1)], Timed: true);
}
