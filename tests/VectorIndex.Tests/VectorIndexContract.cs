using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>What every form of the index must do.</summary>
public abstract partial class VectorIndexContract
{
    protected static readonly Fingerprint Model = new(new string('a', 64));
    protected static readonly CollectionInfo Items = new("items-aaaaaaaa", 3, Model, new ModelVersion("000001-aaaaaaaa"));
    protected static readonly CollectionInfo Other = new("items-bbbbbbbb", 3, new Fingerprint(new string('b', 64)), new ModelVersion("000002-bbbbbbbb"));

    protected abstract IVectorIndex Index { get; }
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    protected static IndexedItem AnItem(string id, long revision = 1, float[]? vector = null, bool available = true, string attributes = "{}") =>
        new(new ItemId(id), revision, vector ?? [1, 0, 0], $"title of {id} at {revision}", available, JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(attributes)!);

    private async Task<IVectorIndex> With(params IndexedItem[] items)
    {
        await Index.CreateAsync(Items, Token);
        await Index.UpsertAsync(Items.Name, items, Token);
        return Index;
    }

    private async Task<string[]> Found(int k = 10, ItemFilter? filter = null, float[]? query = null) =>
        [.. (await Index.SearchAsync(Items.Name, new QueryVector(Model, query ?? [1, 0, 0]), k, filter ?? ItemFilter.None, Token)).Select(item => item.Id.Value)];

    [Fact]
    public async Task Collections_are_found_and_listed()
    {
        Assert.Null(await Index.FindAsync(Items.Name, Token));
        await Index.CreateAsync(Items, Token);
        await Index.CreateAsync(Items, Token);
        await Index.CreateAsync(Other, Token);
        Assert.Equal(Items, await Index.FindAsync(Items.Name, Token));
        Assert.Equal([Items, Other], await Index.ListAsync(Token));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Index.CreateAsync(Items with { Dimension = 4 }, Token));
    }

    [Fact]
    public async Task The_most_similar_come_first_with_their_cosine_as_score()
    {
        await With(AnItem("far", 1, [0, 5, 0]), AnItem("near", 1, [10, 0, 0]), AnItem("opposite", 1, [-1, 0, 0]), AnItem("between", 1, [3, 4, 0]));
        var results = await Index.SearchAsync(Items.Name, new QueryVector(Model, new float[] { 0.5f, 0, 0 }), 4, ItemFilter.None, Token);
        Assert.Equal(["near", "between", "far", "opposite"], results.Select(r => r.Id.Value));
        Assert.Equal([1f, 0.6f, 0f, -1f], results.Select(r => MathF.Round(r.Score, 5)));
        Assert.Equal("title of near at 1", results[0].Title);
        Assert.Equal(["near", "between"], await Found(2));
    }

    [Fact]
    public async Task Ties_are_ordered_by_item_id()
    {
        await With([.. "hgfedcba".Select(c => AnItem(c.ToString()))]);
        Assert.Equal(["a", "b", "c"], await Found(3));
    }

    [Fact]
    public async Task Hidden_items_are_in_no_answer_but_can_be_fetched()
    {
        await With(AnItem("a"), AnItem("b", available: false));
        Assert.Equal(["a"], await Found());
        await Index.UpsertAsync(Items.Name, [AnItem("a", 2, available: false)], Token);
        Assert.Empty(await Found());
        Assert.Equal(2, await Index.CountAsync(Items.Name, ItemFilter.None, Token));
        Assert.Equal(["a", "b"], (await Index.FetchAsync(Items.Name, [new("a"), new("nobody"), new("b")], Token)).Select(i => i.Id.Value));
    }

    [Fact]
    public async Task Filters_leave_out_ids_and_ask_for_attributes()
    {
        await With(
            AnItem("a", attributes: """{"brand":"x","sizes":["s","m"],"price":5,"sale":true}"""), AnItem("b", attributes: """{"brand":"y","sizes":["l"],"price":6.5,"sale":false}"""), AnItem("c"));
        Assert.Equal(["b", "c"], await Found(filter: ItemFilter.None.Without(new HashSet<ItemId> { new("a") })));
        Assert.Equal(["a"], await Found(filter: Attribute("brand", "x")));
        Assert.Equal(["a", "b"], await Found(filter: Attribute("brand", "x", "y")));
        Assert.Equal(["a"], await Found(filter: Attribute("sizes", "m")));
        Assert.Equal(["b"], await Found(filter: Attribute("price", 6.5)));
        Assert.Equal(["a"], await Found(filter: Attribute("sale", true)));
        Assert.Empty(await Found(filter: Attribute("unknown", "x")));

        static ItemFilter Attribute(string name, params object[] values) => new() { Must = [new AnyOf(name, [.. values.Select(Value)])] };
        static AttributeValue Value(object value) => value switch { string text => AttributeValue.From(text), double number => AttributeValue.From(number), bool flag => AttributeValue.From(flag), _ => throw new ArgumentException($"{value}") };
    }

    [Fact]
    public async Task An_older_or_equal_revision_changes_nothing()
    {
        await With(AnItem("a", 5));
        await Index.UpsertAsync(Items.Name, [AnItem("a", 4, [0, 1, 0]), AnItem("a", 5, [0, 1, 0])], Token);
        var item = Assert.Single(await Index.FetchAsync(Items.Name, [new("a")], Token));
        Assert.Equal((5L, 1f, "title of a at 5"), (item.Revision, item.Vector[0], item.Title));
        await Index.UpsertAsync(Items.Name, [AnItem("a", 6, [0, 1, 0])], Token);
        Assert.Equal(0f, (await Index.FetchAsync(Items.Name, [new("a")], Token))[0].Vector[0]);
    }

    [Fact]
    public async Task A_deleted_item_comes_back_only_with_a_newer_revision()
    {
        await With(AnItem("a", 1), AnItem("b", 9));
        await Index.DeleteAsync(Items.Name, [(new("a"), 3), (new("b"), 8), (new("never"), 7)], Token);
        Assert.Equal(["b"], await Found());
        await Index.UpsertAsync(Items.Name, [AnItem("a", 2), AnItem("a", 3), AnItem("never", 7)], Token);
        Assert.Equal(["b"], await Found());
        await Index.UpsertAsync(Items.Name, [AnItem("a", 4)], Token);
        Assert.Equal(["a", "b"], await Found());
    }

    [Theory]
    [InlineData(float.NaN, 0, 0)]
    [InlineData(float.PositiveInfinity, 0, 0)]
    [InlineData(0, 0, 0)]
    public async Task Vectors_without_direction_are_refused_and_nothing_of_their_batch_is_stored(float x, float y, float z)
    {
        await With();
        var refusal = await Assert.ThrowsAsync<ArgumentException>(async () => await Index.UpsertAsync(Items.Name, [AnItem("good"), AnItem("bad", 1, [x, y, z])], Token));
        Assert.Contains("bad", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, await Index.CountAsync(Items.Name, ItemFilter.None, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Found(query: [x, y, z]));
    }

    [Fact]
    public async Task A_vector_of_another_dimension_is_refused()
    {
        await With();
        await Assert.ThrowsAsync<ArgumentException>(async () => await Index.UpsertAsync(Items.Name, [AnItem("a", 1, [1, 0])], Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Found(query: [1, 0, 0, 0]));
    }

    [Fact]
    public async Task A_query_of_another_model_is_an_error()
    {
        await With(AnItem("a"));
        var mismatch = await Assert.ThrowsAsync<FingerprintMismatchException>(async () => await Index.SearchAsync(Items.Name, new QueryVector(Other.Fingerprint, new float[] { 1, 0, 0 }), 1, ItemFilter.None, Token));
        Assert.Equal((Other.Fingerprint, Model), (mismatch.Query, mismatch.Collection));
    }

    [Fact]
    public async Task Edges_of_k_are_defined()
    {
        await With();
        Assert.Empty(await Found());
        await With(AnItem("a"));
        Assert.Equal(["a"], await Found(int.MaxValue));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Found(0));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Found(-1));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(25)]
    [InlineData(100)]
    public async Task Scrolling_gives_every_item_once(int limit)
    {
        await With([.. Enumerable.Range(0, 25).Select(n => AnItem($"i{n * 7 % 25:D2}", available: n % 2 == 0, attributes: $$"""{"part":{{n % 3}}}"""))]);
        var all = await AllAsync(ItemFilter.None, limit);
        Assert.Equal(Enumerable.Range(0, 25).Select(n => $"i{n:D2}"), all.Order(StringComparer.Ordinal));
        var second = await AllAsync(new ItemFilter { Must = [new AnyOf("part", [AttributeValue.From(1)])] }, limit);
        Assert.Equal(Enumerable.Range(0, 25).Where(n => n % 3 == 1).Select(n => $"i{n * 7 % 25:D2}").Order(StringComparer.Ordinal), second.Order(StringComparer.Ordinal));
        Assert.Equal(all.Where(second.Contains), second); // one order, whatever the filter
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await Index.ScrollAsync(Items.Name, ItemFilter.None, null, 0, Token));

        async Task<List<string>> AllAsync(ItemFilter filter, int limit)
        {
            var ids = new List<string>();
            ItemId? after = null;
            while (await Index.ScrollAsync(Items.Name, filter, after, limit, Token) is { Count: > 0 } page)
            {
                Assert.InRange(page.Count, 1, limit);
                ids.AddRange(page.Select(i => i.Id.Value));
                after = page[^1].Id;
            }
            return ids;
        }
    }

    [Fact]
    public async Task Scrolling_goes_on_after_an_item_that_is_gone()
    {
        await With([.. Enumerable.Range(0, 9).Select(n => AnItem($"i{n}"))]);
        var first = await Index.ScrollAsync(Items.Name, ItemFilter.None, null, 4, Token);
        await Index.DeleteAsync(Items.Name, [(first[3].Id, 2)], Token);
        var rest = await Index.ScrollAsync(Items.Name, ItemFilter.None, first[3].Id, 9, Token);
        Assert.Equal(Enumerable.Range(0, 9).Select(n => $"i{n}"), first.Concat(rest).Select(item => item.Id.Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_alias_grows_a_generation_with_each_move()
    {
        await Index.CreateAsync(Items, Token);
        await Index.CreateAsync(Other, Token);
        Assert.Null(await Index.ResolveAliasAsync("items", Token));
        Assert.Equal(1, await Index.PointAliasAsync("items", Items.Name, Token));
        Assert.Equal(1, await Index.PointAliasAsync("items", Items.Name, Token));
        Assert.Equal(2, await Index.PointAliasAsync("items", Other.Name, Token));
        Assert.Equal(3, await Index.PointAliasAsync("items", Items.Name, Token));
        Assert.Equal(new AliasTarget(Items.Name, 3), await Index.ResolveAliasAsync("items", Token));
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await Index.PointAliasAsync("items", "items-cccccccc", Token));
    }

    [Fact]
    public async Task An_alias_that_is_removed_is_gone_and_keeps_no_collection()
    {
        await Index.CreateAsync(Items, Token);
        await Index.CreateAsync(Other, Token);
        Assert.Empty(await Index.AliasesAsync(Token));
        await Index.PointAliasAsync("items", Items.Name, Token);
        await Index.PointAliasAsync("items.pinned", Other.Name, Token);
        await using var reader = await Index.HoldAsync(Items.Name, Token); // no alias, whatever holds it
        Assert.Equal(["items", "items.pinned"], (await Index.AliasesAsync(Token)).Order(StringComparer.Ordinal));

        await Index.RemoveAliasAsync("items.pinned", Token);
        await Index.RemoveAliasAsync("items.pinned", Token);
        Assert.Equal(["items"], await Index.AliasesAsync(Token));
        Assert.Null(await Index.ResolveAliasAsync("items.pinned", Token));
        Assert.Equal(new AliasTarget(Items.Name, 1), await Index.ResolveAliasAsync("items", Token));
        Assert.Equal(1, await Index.PointAliasAsync("items.pinned", Other.Name, Token));
        await Index.RemoveAliasAsync("items.pinned", Token);
        Assert.True(await Index.DropAsync(Other.Name, Token));
        Assert.False(await Index.DropAsync(Items.Name, Token));
    }

    [Fact]
    public async Task A_collection_is_dropped_only_when_no_alias_points_to_it_and_nobody_reads_it()
    {
        await With(AnItem("a"));
        await Index.CreateAsync(Other, Token);
        await Index.PointAliasAsync("items", Items.Name, Token);
        Assert.False(await Index.DropAsync(Items.Name, Token));
        await Index.PointAliasAsync("items", Other.Name, Token);
        await using (await Index.HoldAsync(Items.Name, Token)) Assert.False(await Index.DropAsync(Items.Name, Token));
        Assert.True(await Index.DropAsync(Items.Name, Token));
        Assert.Null(await Index.FindAsync(Items.Name, Token));
        await Assert.ThrowsAsync<KeyNotFoundException>(() => Found());
        await Index.CreateAsync(Items, Token);
        Assert.Equal(0, await Index.CountAsync(Items.Name, ItemFilter.None, Token));
    }
}
