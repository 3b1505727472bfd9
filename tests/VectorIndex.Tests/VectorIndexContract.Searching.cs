using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>What is found, under which filters.</summary>
public abstract partial class VectorIndexContract
{
    private static readonly string[] OddNames = ["brand", "price", "released", "a.b", "a[0]", "a[]", "with space", "quote\"d", "back\\slash", "100%", "%22", "naïve-ключ", "", "attributes", "😀"];
    private static readonly string[] Values =
    [
        "\"x\"", "\"y\"", "\"5\"", "\"true\"", "\"\"", "\"X\"", "\"é😀\"", "5", "5.0", "6.5", "-3", "1e300", "0", "true", "false", "null", "[]", "[\"x\",5]", "[[\"x\"]]", "{\"x\":5}", "[{\"brand\":\"x\"},true]",
        "\"2026-01-01\"", "\"2026-01-01T00:00:00Z\"", "\"2026-01-01T02:00:00+02:00\"", "\"2026-06-30 10:00\"", "\"2026-06-30T10:00:00.5\"", "\"1999-12-31T23:59:59.123456Z\"", "\"2026-13-01\"", "\"20260101\"", "\"1/2/2026\"", "[\"2026-01-01\",\"x\"]",
    ];

    /// <summary>All conditions, alone and in trees: the three questions that take a filter answer as its definition does.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Filters_admit_what_their_definition_admits(int seed)
    {
        var random = new Random(seed);
        T Any<T>(IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];
        var items = Enumerable.Range(0, 60).Select(n =>
        {
            var attributes = Enumerable.Range(0, random.Next(1, 6)).Select(_ => Any(OddNames)).Distinct().Select(name => $"{System.Text.Json.JsonSerializer.Serialize(name)}:{Any(Values)}");
            return AnItem($"i{n:D2}", 1, [1, n, 0], available: n % 5 != 0, attributes: $"{{{string.Join(',', attributes)}}}");
        }).ToArray();
        await With(items);

        for (int round = 0; round < 60; round++)
        {
            var filter = Tree(2);
            var admitted = items.Where(filter.Admits).Select(item => item.Id.Value).ToList();
            Assert.Equal(admitted.Count, await Index.CountAsync(Items.Name, filter, Token));
            Assert.Equal(admitted, (await Index.ScrollAsync(Items.Name, filter, null, 100, Token)).Select(item => item.Id.Value).Order(StringComparer.Ordinal));
            Assert.Equal(items.Where(item => item.Available && filter.Admits(item)).Select(item => item.Id.Value), (await Found(100, filter)).Order(StringComparer.Ordinal));
        }

        ItemFilter Tree(int depth) => new() { Must = Some(depth), Should = Some(depth), MustNot = Some(depth) };
        ItemCondition[] Some(int depth) => [.. Enumerable.Range(0, random.Next(0, 3)).Select(_ => depth > 0 && random.Next(4) == 0 ? Tree(depth - 1) : Leaf())];
        ItemCondition Leaf() => random.Next(5) switch
        {
            0 => new HasId(Enumerable.Range(0, random.Next(0, 20)).Select(_ => new ItemId($"i{random.Next(70):D2}")).ToHashSet()),
            1 => new NumberRange(Any(OddNames), Bound(5), Bound(5), Bound(6.5), Bound(6.5)),
            2 => new TimeRange(Any(OddNames), Moment(), Moment(), Moment(), Moment()),
            _ => new AnyOf(Any(OddNames), [.. Enumerable.Range(0, random.Next(0, 4)).Select(_ => Any<AttributeValue>(
                [AttributeValue.From("x"), AttributeValue.From("5"), AttributeValue.From("true"), AttributeValue.From("2026-01-01"), AttributeValue.From(5), AttributeValue.From(6.5), AttributeValue.From(0), AttributeValue.From(true), AttributeValue.From(false)]))]),
        };
        double? Bound(double at) => random.Next(3) == 0 ? at + random.Next(-1, 2) : null;
        DateTimeOffset? Moment() => random.Next(3) == 0 ? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddDays(random.Next(-1, 2)) : null;
    }

    [Theory]
    [InlineData("2026-01-31", "2026-01-31T00:00:00Z")]
    [InlineData("2026-01-31 10:20", "2026-01-31T10:20:00Z")]
    [InlineData("2026-01-31 10:20:30", "2026-01-31T10:20:30Z")]
    [InlineData("2026-01-31T10:20:30", "2026-01-31T10:20:30Z")]
    [InlineData("2026-01-31T10:20:30.25Z", "2026-01-31T10:20:30.25Z")]
    [InlineData("2026-01-31T10:20:30+01:30", "2026-01-31T08:50:30Z")]
    [InlineData("2026-01-31T10:20:30-0130", "2026-01-31T11:50:30Z")]
    public async Task A_time_in_any_of_its_forms_is_that_time(string text, string time)
    {
        await With(AnItem("a", attributes: $$"""{"at":"{{text}}"}"""));
        var moment = DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(["a"], await Found(filter: new ItemFilter { Must = [new TimeRange("at", AtOrAfter: moment, AtOrBefore: moment)] }));
        Assert.Empty(await Found(filter: new ItemFilter { Must = [new TimeRange("at", After: moment)] }));
    }

    [Theory]
    [InlineData("31.1.2026")]
    [InlineData("2026-1-31")]
    [InlineData("2026-01-31T10:20")]
    [InlineData("2026-02-30")]
    [InlineData("20260131")]
    [InlineData("2026-01-31x")]
    [InlineData(" 2026-01-31")]
    [InlineData("10:20:30")]
    public async Task What_is_no_time_is_in_no_range_of_times(string text)
    {
        await With(AnItem("a", attributes: $$"""{"at":"{{text}}"}"""));
        Assert.Empty(await Found(filter: new ItemFilter { Must = [new TimeRange("at")] }));
        Assert.Equal(["a"], await Found(filter: new ItemFilter { Must = [new AnyOf("at", [AttributeValue.From(text)])] }));
    }

    [Fact]
    public async Task Several_queries_are_answered_each_for_itself()
    {
        await With(AnItem("x", 1, [1, 0, 0]), AnItem("y", 1, [0, 1, 0]), AnItem("z", 1, [0, 0, 1]), AnItem("hidden", 1, [0, 1, 0], available: false));
        SearchQuery Query(float[] vector, int k, ItemFilter? filter = null, bool exact = false) => new(new QueryVector(Model, vector), k, filter ?? ItemFilter.None, exact);
        var answers = await Index.SearchAsync(Items.Name, [Query([1, 0, 0], 1), Query([0, 1, 0.1f], 2, exact: true), Query([0, 1, 0], 5, ItemFilter.None.Without(new HashSet<ItemId> { new("y") })), Query([0, 0, 2], 1)], Token);
        Assert.Equal(["x", "y z", "x z", "z"], answers.Select(answer => string.Join(' ', answer.Select(item => item.Id.Value))));
        Assert.Empty(await Index.SearchAsync(Items.Name, [], Token));
        await Assert.ThrowsAsync<FingerprintMismatchException>(async () => await Index.SearchAsync(Items.Name, [Query([1, 0, 0], 1), new SearchQuery(new QueryVector(Other.Fingerprint, new float[] { 1, 0, 0 }), 1, ItemFilter.None)], Token));
    }

    [Fact]
    public async Task A_thousand_of_more_equal_ones_are_the_first_by_id()
    {
        await With([.. Enumerable.Range(0, 1500).Select(n => AnItem($"i{n * 7 % 1500:D4}"))]);
        Assert.Equal(Enumerable.Range(0, 1000).Select(n => $"i{n:D4}"), await Found(1000));
        Assert.Equal(["i0000"], await Found(1));
    }

    [Fact]
    public async Task Recommendations_go_towards_the_positive_and_away_from_the_negative()
    {
        await With(AnItem("liked", 1, [1, 0, 0]), AnItem("disliked", 1, [0, 1, 0]), AnItem("like", 1, [1, 0.1f, 0]), AnItem("unlike", 1, [0.1f, 1, 0]), AnItem("other", 1, [0, 0, 1]), AnItem("hidden", 1, [1, 0, 0], available: false));
        async Task<string[]> Recommended(string[] positive, string[] negative, ItemFilter? filter = null) =>
            [.. (await Index.RecommendAsync(Items.Name, Model, [.. positive.Select(id => new ItemId(id))], [.. negative.Select(id => new ItemId(id))], 3, filter ?? ItemFilter.None, Token)).Select(item => item.Id.Value)];
        Assert.Equal(["like", "other", "unlike"], await Recommended(["liked"], ["disliked"]));
        Assert.Equal(["like", "other", "unlike"], await Recommended(["liked", "nobody"], ["disliked", "nobody else"]));
        Assert.Equal(["like", "unlike", "disliked"], await Recommended(["liked", "hidden"], [], ItemFilter.None.Without(new HashSet<ItemId> { new("other") })));
        Assert.Empty(await Recommended(["nobody"], ["disliked"]));
        Assert.Empty(await Recommended([], ["disliked"]));
    }

    [Fact]
    public async Task Who_holds_a_collection_keeps_it_until_the_last_has_left()
    {
        await With(AnItem("a"));
        var first = await Index.HoldAsync(Items.Name, Token);
        var second = await Index.HoldAsync(Items.Name, Token);
        Assert.False(await Index.DropAsync(Items.Name, Token));
        await first.DisposeAsync();
        await first.DisposeAsync();
        Assert.False(await Index.DropAsync(Items.Name, Token));
        Assert.Equal(["a"], await Found());
        await second.DisposeAsync();
        Assert.True(await Index.DropAsync(Items.Name, Token));
        Assert.Empty(await Index.ListAsync(Token));
        Assert.True(await Index.DropAsync(Items.Name, Token));
    }
}
