using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class RecencyTests
{
    private static readonly DateTimeOffset Now = new(2024, 5, 29, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("\"2024-05-29\"", 1)]
    [InlineData("\"2024-05-15T00:00:00Z\"", 0.5)]
    [InlineData("\"2024-05-01\"", 0.25)]
    [InlineData("[\"2024-05-01\", \"2024-05-15\"]", 0.5)]
    [InlineData("\"2030-01-01\"", 1)]
    [InlineData("\"1800-01-01\"", 0)]
    [InlineData("\"soon\"", 0)]
    [InlineData("20240529", 0)]
    [InlineData("null", 0)]
    [InlineData("{}", 0)]
    public void Newness_halves_with_the_age_that_the_attribute_tells(string value, double expected) =>
        Assert.Equal(expected, Recency.Of(Item("released", value), "released", TimeSpan.FromDays(14), Now.ToUnixTimeMilliseconds()), 9);

    [Fact]
    public void An_item_without_the_attribute_is_not_new() => Assert.Equal(0, Recency.Of(Item("other", "\"2024-05-29\""), "released", TimeSpan.FromDays(14), Now.ToUnixTimeMilliseconds()));

    [Fact]
    public void Values_of_an_item_each_count_once()
    {
        var most = new Dictionary<string, int> { ["tags"] = 1, ["brand"] = 2 };
        var caps = new ValueCaps(most);
        var gas = ValueCaps.Of(Item("tags", "[\"gas\", \"small\", \"gas\"]"), most);
        Assert.Equal(2, gas.Count);
        Assert.True(caps.Admit(gas));
        caps.Take(gas);
        Assert.False(caps.Admit(gas));
        Assert.False(caps.Admit(ValueCaps.Of(Item("tags", "\"small\""), most)));
        Assert.True(caps.Admit(ValueCaps.Of(Item("tags", "\"wood\""), most)));
        Assert.Empty(ValueCaps.Of(Item("colour", "\"gas\""), most));
    }

    private static IndexedItem Item(string attribute, string json) =>
        new(new ItemId("i"), 0, [1], "t", true, new Dictionary<string, JsonElement> { [attribute] = JsonElement.Parse(json) });
}
