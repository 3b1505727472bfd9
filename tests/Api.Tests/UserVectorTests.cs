using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class UserVectorTests
{
    private const long Now = 1_700_000_000_000;
    private static readonly long Day = (long)TimeSpan.FromDays(1).TotalMilliseconds;
    private readonly UserVectorOptions _options = new() { HalfLife = TimeSpan.FromDays(30), OrderHalfLife = 0 };

    [Fact]
    public void Weight_is_type_times_decay()
    {
        var weights = UserVector.Weights([Did("a", "purchase", Now), Did("b", "purchase", Now - 30 * Day), Did("c", "click", Now)], _options, Now).ToDictionary(entry => entry.Item.Value, entry => entry.Weight);
        Assert.Equal(1.0, weights["a"], 9);
        Assert.Equal(0.5, weights["b"], 9);
        Assert.Equal(0.3, weights["c"], 9);
    }

    [Fact]
    public void Item_counts_once_with_its_strongest_interaction()
    {
        var weights = UserVector.Weights([Did("a", "view", Now), Did("a", "view", Now), Did("a", "purchase", Now - 30 * Day)], _options, Now);
        Assert.Equal([(new ItemId("a"), 0.5)], weights);
    }

    [Fact]
    public void Low_ratings_and_unknown_types_say_nothing() => Assert.Empty(UserVector.Weights(
        [new ProfileInteraction("1", new ItemId("a"), "rating", 3.5, Now), new ProfileInteraction("2", new ItemId("b"), "rating", null, Now), Did("c", "hover", Now)], _options, Now));

    [Fact]
    public void History_of_long_ago_still_points_somewhere()
    {
        var vector = UserVector.From([Did("a", "purchase", Now - 36_500 * Day)], _ => new float[] { 0, 2 }, _options, Now);
        Assert.Equal([0f, 1f], vector!);
    }

    [Fact]
    public void Nothing_known_gives_no_vector()
    {
        Assert.Null(UserVector.From([], _ => new float[] { 1 }, _options, Now));
        Assert.Null(UserVector.From([Did("a", "purchase", Now)], _ => null, _options, Now));
    }

    [Fact]
    public void Vector_is_the_weighted_sum_with_length_one()
    {
        float[] east = [1, 0], north = [0, 1];
        var vector = UserVector.From([Did("a", "purchase", Now), Did("b", "click", Now)], item => item.Value == "a" ? east : north, _options, Now)!;
        Assert.Equal(0.3, vector[1] / vector[0], 5);
        Assert.Equal(1, Math.Sqrt(vector.Sum(value => value * value)), 5);
    }

    [Fact]
    public void A_history_without_times_weighs_half_after_so_many_items() =>
        Assert.Equal([("c", 1.0), ("b", Math.Sqrt(0.5)), ("a", 0.5)], UserVector.ByOrder([new ItemId("c"), new ItemId("b"), new ItemId("a")], new UserVectorOptions { OrderHalfLife = 2 }).Select(entry => (entry.Item.Value, entry.Weight)));

    private static ProfileInteraction Did(string item, string type, long at) => new($"{item}{type}{at}", new ItemId(item), type, null, at);
}
