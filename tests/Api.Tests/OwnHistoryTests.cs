using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class OwnHistoryTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private const long Now = 1_700_000_000_000;

    [Fact]
    public void Every_purchase_counts_and_fades_and_the_strongest_is_1() =>
        Assert.Equal([("b", 1.0), ("a", 0.8)], Of(Day, TimeSpan.Zero, ("a", 0, "purchase"), ("b", 0, "purchase"), ("b", 2, "purchase")));

    [Fact]
    public void What_was_only_looked_at_or_rated_was_not_bought() =>
        Assert.Equal([("a", 1.0)], Of(Day, TimeSpan.Zero, ("v", 0, "view"), ("r", 0, "rating"), ("a", 9, "purchase")));

    [Fact]
    public void Item_bought_within_the_rest_is_put_back_however_often_it_was_bought() =>
        Assert.Equal([("b", 1.0), ("a", -1.0)], Of(Day, Day, ("a", 0, "purchase"), ("a", 5, "purchase"), ("a", 6, "purchase"), ("b", 1, "purchase")));

    [Fact]
    public void Without_decay_counts_decide_and_of_equals_the_last_bought() =>
        Assert.Equal([("c", 1.0), ("a", 0.5), ("b", 0.5)], Of(TimeSpan.Zero, TimeSpan.Zero, ("a", 1, "purchase"), ("b", 2, "purchase"), ("c", 90, "purchase"), ("c", 99, "purchase")));

    [Fact]
    public void History_of_long_ago_and_a_short_half_life_leave_numbers() =>
        Assert.Equal([("a", 1.0), ("b", 0.0)], Of(TimeSpan.FromSeconds(1), Day, ("a", 1000, "purchase"), ("b", 3000, "purchase")));

    private static IEnumerable<(string, double)> Of(TimeSpan halfLife, TimeSpan rest, params (string Item, int DaysAgo, string Type)[] newestFirst) =>
        OwnHistory.Of([.. newestFirst.Select((event_, n) => new ProfileInteraction($"{n}", new ItemId(event_.Item), event_.Type, null, Now - event_.DaysAgo * 86_400_000L))], halfLife, rest, Now)
            .Select(own => (own.Item.Value, Math.Round(own.Strength, 9)));
}
