using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>What is counted of what was shown and what then happened.</summary>
public sealed class ImpressionsTests : IDisposable
{
    private static readonly Variant A = new("a", 1, new RankingOptions(), null, new Dictionary<string, string>()), B = A with { Name = "b", Share = 0 };

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2024, 5, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly ServiceProvider _meters = new ServiceCollection().AddMetrics().AddSingleton<VariantMetrics>().BuildServiceProvider();

    public void Dispose() => _meters.Dispose();

    private Impressions Of(ExperimentOptions? options = null) =>
        new(new Variants([A, B], new RankingOptions(), ""), _meters.GetRequiredService<VariantMetrics>(), Options.Create(options ?? new ExperimentOptions()), Options.Create(new UserVectorOptions()), _time);

    private static void Show(Impressions impressions, string user, IEnumerable<string> items, bool continues = false, Variant? variant = null) =>
        impressions.Show(new UserId(user), variant ?? A, [.. items.Select(item => new RankedItem(item, item, 0, null))], continues);

    /// <param name="ago">How long ago it happened; it comes now.</param>
    private void Do(Impressions impressions, string user, string type, string item, double? value = null, TimeSpan ago = default) =>
        impressions.Note(new InteractionEvent(null, new UserId(user), new ItemId(item), type, value, (_time.GetUtcNow() - ago).ToUnixTimeMilliseconds(), null));

    private static Tally Counted(Impressions impressions) => impressions.Read()[0].Tally;

    private static IEnumerable<string> Items(int from, int count) => Enumerable.Range(from, count).Select(n => $"i{n}");

    [Fact]
    public void An_item_that_was_shown_counts_once_however_often_it_is_looked_at()
    {
        var impressions = Of();
        Show(impressions, "u", ["x", "y"]);
        foreach (string type in (string[])["view", "click", "view"]) Do(impressions, "u", type, "x");
        Do(impressions, "u", "click", "never shown");
        Do(impressions, "u", "add_to_cart", "y");
        Do(impressions, "stranger", "click", "x");
        Assert.Equal(new Tally(Lists: 1, Impressions: 2, Clicks: 1), Counted(impressions));
    }

    [Fact]
    public void Purchases_and_good_ratings_are_compared_with_the_last_list()
    {
        var impressions = Of();
        Do(impressions, "u", "purchase", "x"); // nothing was shown yet
        Show(impressions, "u", ["x", "y"]);
        _time.Advance(TimeSpan.FromSeconds(1));
        Show(impressions, "u", ["z"]);
        Do(impressions, "u", "purchase", "x");
        Do(impressions, "u", "purchase", "z");
        Do(impressions, "u", "rating", "z", 5);
        Do(impressions, "u", "rating", "z", 3);
        Do(impressions, "u", "rating", "z");
        Assert.Equal(new Tally(Lists: 2, Impressions: 3, Purchases: 3, Hits: 2), Counted(impressions));
    }

    [Fact]
    public void Only_the_first_twenty_can_be_hit_and_a_page_goes_on_where_the_one_before_ended()
    {
        var impressions = Of();
        Show(impressions, "u", Items(0, 15));
        Show(impressions, "u", Items(15, 15), continues: true);
        foreach (string item in (string[])["i0", "i19", "i20", "i29"])
        {
            Do(impressions, "u", "purchase", item);
            Do(impressions, "u", "click", item);
        }
        Assert.Equal(new Tally(Lists: 1, Impressions: 30, Clicks: 4, Purchases: 4, Hits: 2), Counted(impressions));
    }

    [Fact]
    public void Beyond_a_hundred_nothing_is_an_impression()
    {
        var impressions = Of();
        Show(impressions, "u", Items(0, 90));
        Show(impressions, "u", Items(90, 90), continues: true);
        Do(impressions, "u", "click", "i99");
        Do(impressions, "u", "click", "i100");
        Show(impressions, "v", Items(0, 1000));
        Show(impressions, "w", []);
        Assert.Equal(new Tally(Lists: 2, Impressions: 200, Clicks: 1), Counted(impressions));
    }

    [Fact]
    public void What_happens_after_the_window_or_happened_before_the_list_is_not_laid_to_its_account()
    {
        var impressions = Of(new ExperimentOptions { Window = TimeSpan.FromHours(1) });
        Show(impressions, "u", ["x", "y"]);
        Do(impressions, "u", "purchase", "x", ago: TimeSpan.FromMilliseconds(1));
        Do(impressions, "u", "click", "x", ago: TimeSpan.FromMinutes(5));
        Assert.Equal(new Tally(Lists: 1, Impressions: 2), Counted(impressions));
        _time.Advance(TimeSpan.FromHours(1));
        Do(impressions, "u", "purchase", "x");
        Assert.Equal(new Tally(Lists: 1, Impressions: 2, Purchases: 1, Hits: 1), Counted(impressions));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Do(impressions, "u", "purchase", "x");
        Do(impressions, "u", "click", "y");
        Do(impressions, "u", "click", "x", ago: TimeSpan.FromMilliseconds(1)); // came late, happened in time
        Assert.Equal(new Tally(Lists: 1, Impressions: 2, Clicks: 1, Purchases: 1, Hits: 1), Counted(impressions));
    }

    [Fact]
    public void An_event_that_comes_late_is_compared_with_the_list_of_its_time()
    {
        var impressions = Of();
        Show(impressions, "u", ["x"]);
        _time.Advance(TimeSpan.FromSeconds(10));
        Show(impressions, "u", ["y"]);
        Do(impressions, "u", "purchase", "x", ago: TimeSpan.FromSeconds(5));
        Do(impressions, "u", "click", "x", ago: TimeSpan.FromSeconds(5));
        Do(impressions, "u", "purchase", "y", ago: TimeSpan.FromSeconds(5)); // not yet shown then
        Assert.Equal(new Tally(Lists: 2, Impressions: 2, Clicks: 1, Purchases: 2, Hits: 1), Counted(impressions));
    }

    [Fact]
    public void Of_each_user_only_the_newest_lists_are_remembered()
    {
        var impressions = Of();
        foreach (string item in Items(0, 5))
        {
            Show(impressions, "u", [item]);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        foreach (string item in Items(0, 5)) Do(impressions, "u", "click", item);
        Assert.Equal(new Tally(Lists: 5, Impressions: 5, Clicks: 4), Counted(impressions));
    }

    [Fact]
    public void Users_who_were_shown_nothing_for_longest_are_dropped_first()
    {
        var impressions = Of(new ExperimentOptions { Users = 2 });
        foreach (string user in (string[])["u", "v", "u", "w"]) Show(impressions, user, [$"of {user}"]);
        foreach (string user in (string[])["u", "v", "w"]) Do(impressions, user, "purchase", $"of {user}");
        Assert.Equal(new Tally(Lists: 4, Impressions: 4, Purchases: 2, Hits: 2), Counted(impressions));
    }

    [Fact]
    public void A_forgotten_user_is_unknown()
    {
        var impressions = Of();
        Show(impressions, "u", ["x"]);
        impressions.Forget(new UserId("u"));
        impressions.Forget(new UserId("nobody"));
        Do(impressions, "u", "purchase", "x");
        Assert.Equal(new Tally(Lists: 1, Impressions: 1), Counted(impressions));
        Show(impressions, "u", ["x"], continues: true); // a page of a list that is forgotten is one of its own
        Do(impressions, "u", "purchase", "x");
        Assert.Equal(new Tally(Lists: 2, Impressions: 2, Purchases: 1, Hits: 1), Counted(impressions));
    }

    [Fact]
    public void Each_variant_is_counted_apart_and_who_has_none_not_at_all()
    {
        var impressions = Of();
        Show(impressions, "u", ["x"]);
        Show(impressions, "v", ["x", "y"], variant: B);
        Show(impressions, "w", ["x"], variant: A with { Name = null });
        foreach (string user in (string[])["u", "v", "w"]) Do(impressions, user, "purchase", "y");
        Assert.Equal([(A, new Tally(1, 1, 0, 1, 0)), (B, new Tally(1, 2, 0, 1, 1))], impressions.Read());
    }

    [Fact]
    public void Counts_leave_with_their_period_and_a_click_with_what_was_shown()
    {
        var impressions = Of(new ExperimentOptions { Period = TimeSpan.FromMinutes(60), Window = TimeSpan.FromDays(1) });
        var began = _time.GetUtcNow();
        Assert.Equal(began, impressions.From);
        Show(impressions, "u", ["x", "y"]);
        _time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(began, impressions.From);
        Show(impressions, "v", ["x"]);
        Do(impressions, "u", "click", "x");
        Do(impressions, "u", "purchase", "x");
        Assert.Equal(new Tally(2, 3, 1, 1, 1), Counted(impressions));

        _time.Advance(TimeSpan.FromMinutes(30)); // the first list has left, and its click with it
        Assert.Equal(began, impressions.From);
        Do(impressions, "u", "click", "y");
        Assert.Equal(new Tally(1, 1, 0, 1, 1), Counted(impressions));
        _time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(began + TimeSpan.FromMinutes(30), impressions.From);
        Assert.Equal(new Tally(), Counted(impressions));
        _time.Advance(TimeSpan.FromDays(40));
        Show(impressions, "v", ["x"]);
        Assert.Equal(new Tally(1, 1), Counted(impressions));
    }

    [Fact]
    public async Task Many_threads_lose_nothing()
    {
        const int Threads = 4, Each = 2_000;
        var impressions = Of(new ExperimentOptions { Users = 50 });
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (int n = 0; n < Each; n++)
            {
                string user = $"{thread}/{n % 10}"; // fewer users than are remembered: none is dropped
                Show(impressions, user, [$"{n}", "other"]);
                Do(impressions, user, "click", $"{n}");
                Do(impressions, user, "purchase", $"{n}");
                if (n % 100 == 0) _ = impressions.Read();
            }
        }, TestContext.Current.CancellationToken)));
        const int All = Threads * Each;
        Assert.Equal(new Tally(All, 2 * All, All, All, All), Counted(impressions));
    }
}
