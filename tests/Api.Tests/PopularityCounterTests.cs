using BeeFormer.Streaming.Contracts;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class PopularityCounterTests
{
    private static readonly ItemId A = new("a"), B = new("b");

    [Fact]
    public void Interaction_weighs_half_after_the_half_life()
    {
        var popularity = new PopularityCounter(TimeSpan.FromSeconds(1));
        popularity.Add(A, 1, 0);
        popularity.Add(B, 1, 1000);
        var top = popularity.Top(2);
        Assert.Equal([B, A], top.Select(entry => entry.Item));
        Assert.Equal(0.5, top[1].Score, 9);
    }

    [Fact]
    public void Decades_of_events_overflow_nothing()
    {
        var popularity = new PopularityCounter(TimeSpan.FromSeconds(1));
        for (long second = 0; second < 5000; second += 100) popularity.Add(new ItemId($"i{second}"), 1, second * 1000);
        var top = popularity.Top(1);
        Assert.Equal((new ItemId("i4900"), 1.0), top[0]);
    }

    [Fact]
    public void Interactions_of_given_items_are_counted_as_of_the_newest_event()
    {
        var popularity = new PopularityCounter(TimeSpan.FromSeconds(1));
        Assert.Equal([0.0], popularity.Of([A]).Values);
        popularity.Add(A, 3, 0);
        popularity.Add(B, 1, 1000);
        Assert.Equal([0.0, 1.5, 1.0], popularity.Of([new ItemId("c"), A, B]).Values);
    }

    [Fact]
    public void Shares_are_of_the_most_popular()
    {
        var popularity = new PopularityCounter(TimeSpan.FromSeconds(1));
        Assert.Equal([0.0], popularity.Shares([A]).Values);
        popularity.Add(A, 1, 0);
        popularity.Add(B, 1, 1000);
        var shares = popularity.Shares([A, B, new ItemId("c")]);
        Assert.Equal((0.5, 1.0, 0.0), (shares[A], shares[B], shares[new ItemId("c")]));
    }

    [Property(MaxTest = 50)]
    public void Ranking_does_not_depend_on_the_order_of_events(byte[] seconds, int seed)
    {
        var events = seconds.Select((second, n) => (Item: new ItemId($"i{n % 5}"), At: second * 100L)).ToArray();
        var shuffled = events.ToArray();
        new Random(seed).Shuffle(shuffled);
        var (straight, mixed) = (new PopularityCounter(TimeSpan.FromSeconds(3)), new PopularityCounter(TimeSpan.FromSeconds(3)));
        foreach (var (item, at) in events) straight.Add(item, 1, at);
        foreach (var (item, at) in shuffled) mixed.Add(item, 1, at);
        Assert.Equal(
            straight.Top(5).OrderBy(entry => entry.Item).Select(entry => Math.Round(entry.Score, 9)),
            mixed.Top(5).OrderBy(entry => entry.Item).Select(entry => Math.Round(entry.Score, 9)));
    }
}
