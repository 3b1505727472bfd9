using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>What is written, in which order ever, and what comes back.</summary>
public abstract partial class VectorIndexContract
{
    private async Task<IReadOnlyList<(string Id, long Revision)>> RevisionsAsync(int limit = 1000)
    {
        var all = new List<(string, long)>();
        ItemId? after = null;
        while (await Index.RevisionsAsync(Items.Name, after, limit, Token) is { Count: > 0 } page)
        {
            all.AddRange(page.Select(item => (item.Id.Value, item.Revision)));
            after = page[^1].Id;
        }
        return [.. all.OrderBy(item => item.Item1, StringComparer.Ordinal)];
    }

    [Theory]
    [InlineData("""{"text":"x","empty":"","emoji":"é😀","nul":"a\u0000b","quotes":"\"\\/"}""")]
    [InlineData("""{"zero":0,"whole":5,"double":5.0,"negative":-7,"small":1.5e-300,"large":1e300,"long":9223372036854775807,"least":-9223372036854775808,"tenth":0.1}""")]
    [InlineData("""{"yes":true,"no":false,"nothing":null,"list":["a",1,2.5,true,null,[],["b"],{"c":1}],"none":[]}""")]
    [InlineData("""{"object":{"a.b":{"\"":[{"%22":{}}]}},"deep":[[[[[[[[1]]]]]]]]}""")]
    [InlineData("""{"a.b":1,"a[0]":2,"a[]":3,"with space":4,"quote\"d":5,"back\\slash":6,"100%":7,"%22":8,"%2522":9,"naïve-ключ":10,"":11,"\"\"":12,"attributes":13,"😀":14,"%":15,"item_id":16,"rev":17}""")]
    public async Task Attributes_come_back_unchanged(string attributes)
    {
        await With(AnItem("a", attributes: attributes));
        var expected = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(attributes)!;
        var fetched = Assert.Single(await Index.FetchAsync(Items.Name, [new("a")], Token)).Attributes;
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), fetched.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, value) in expected) Assert.True(JsonElement.DeepEquals(value, fetched[name]), $"{name} was {value.GetRawText()} and is {fetched[name].GetRawText()}");
        Assert.Equal(fetched.Keys.Order(StringComparer.Ordinal), (await Index.ScrollAsync(Items.Name, ItemFilter.None, null, 1, Token))[0].Attributes.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("Příliš žluťoučký 😀 \u0000 \" \\ \n")]
    [InlineData("")]
    public async Task Titles_come_back_unchanged(string title)
    {
        await With(AnItem("a") with { Title = title });
        Assert.Equal(title, Assert.Single(await Index.FetchAsync(Items.Name, [new("a")], Token)).Title);
        Assert.Equal(title, (await Index.SearchAsync(Items.Name, new QueryVector(Model, new float[] { 1, 0, 0 }), 1, ItemFilter.None, Token))[0].Title);
    }

    [Fact]
    public async Task Ids_of_all_kinds_and_of_512_bytes_are_kept_apart()
    {
        string[] ids = ["a", "A", " a", "a ", "a\u0000", "é", "e\u0301", "😀", "a/b", "1", "01", new('x', 511), new('x', 512), new string('é', 256)];
        await With([.. ids.Select(id => AnItem(id))]);
        Assert.Equal(ids.Order(StringComparer.Ordinal), (await Found(100)).Order(StringComparer.Ordinal));
        Assert.Equal(ids, (await Index.FetchAsync(Items.Name, [.. ids.Select(id => new ItemId(id))], Token)).Select(item => item.Id.Value));
        foreach (string bad in new[] { "", new string('x', 513) })
            await Assert.ThrowsAsync<ArgumentException>(async () => await Index.UpsertAsync(Items.Name, [AnItem(bad)], Token));
    }

    [Fact]
    public async Task Of_an_item_twice_in_one_batch_the_newest_stays()
    {
        await With(AnItem("up", 1), AnItem("up", 2), AnItem("down", 2), AnItem("down", 1), AnItem("same", 1, [1, 0, 0]), AnItem("same", 1, [0, 1, 0]));
        Assert.Equal([("down", 2), ("same", 1), ("up", 2)], await RevisionsAsync());
        Assert.Equal(1f, (await Index.FetchAsync(Items.Name, [new("same")], Token))[0].Vector[0]);
        await Index.DeleteAsync(Items.Name, [(new("up"), 9), (new("up"), 3), (new("down"), 3), (new("down"), 9)], Token);
        await Index.UpsertAsync(Items.Name, [AnItem("up", 8), AnItem("down", 8)], Token);
        Assert.Equal([("same", 1)], await RevisionsAsync());
    }

    [Fact]
    public async Task Of_an_upsert_and_a_deletion_of_one_revision_the_deletion_stays()
    {
        await With(AnItem("a", 5), AnItem("b", 5));
        await Index.DeleteAsync(Items.Name, [(new("a"), 5), (new("b"), 4), (new("c"), 5)], Token);
        await Index.UpsertAsync(Items.Name, [AnItem("a", 5), AnItem("c", 5)], Token);
        Assert.Equal([("b", 5)], await RevisionsAsync());
    }

    [Fact]
    public async Task A_deleted_item_is_nowhere()
    {
        await With(AnItem("a"), AnItem("b"));
        await Index.DeleteAsync(Items.Name, [(new("a"), 2)], Token);
        Assert.Equal(1, await Index.CountAsync(Items.Name, ItemFilter.None, Token));
        Assert.Equal(0, await Index.CountAsync(Items.Name, new ItemFilter { Must = [new HasId(new HashSet<ItemId> { new("a") })] }, Token));
        Assert.Equal(["b"], await Found());
        Assert.Equal(["b"], await Found(filter: new ItemFilter { MustNot = [new AnyOf("x", [AttributeValue.From("y")])] }));
        Assert.Equal(["b"], (await Index.ScrollAsync(Items.Name, ItemFilter.None, null, 10, Token)).Select(item => item.Id.Value));
        Assert.Equal(["b"], (await Index.FetchAsync(Items.Name, [new("a"), new("b")], Token)).Select(item => item.Id.Value));
        Assert.Equal([("b", 1)], await RevisionsAsync());
    }

    [Fact]
    public async Task Many_revisions_in_one_batch_are_each_compared_with_their_own()
    {
        await With([.. Enumerable.Range(0, 700).Select(n => AnItem($"i{n}", n % 2 == 0 ? 1000 : 0))]);
        await Index.UpsertAsync(Items.Name, [.. Enumerable.Range(0, 1400).Select(n => AnItem($"i{n}", n + 1))], Token);
        var revisions = (await RevisionsAsync(100)).ToDictionary(item => item.Id, item => item.Revision);
        Assert.Equal(1400, revisions.Count);
        for (int n = 0; n < 1400; n++) Assert.Equal(n < 700 && n % 2 == 0 ? 1000 : n + 1, revisions[$"i{n}"]);
    }

    [Fact]
    public async Task Writers_at_once_leave_the_newest()
    {
        await With();
        var writers = Enumerable.Range(0, 6).Select(async writer =>
        {
            var random = new Random(writer);
            for (int round = 0; round < 12; round++)
            {
                var changes = Enumerable.Range(0, 20).Select(item => (new ItemId($"i{item}"), Revision: random.Next(1, 200) * 6L + writer)).ToList();
                if (round % 4 == 3) await Index.DeleteAsync(Items.Name, [.. changes.Select(change => (change.Item1, change.Revision % 300))], Token);
                else if (round % 4 == 2) await Index.LoadAsync(Items.Name, [.. changes.Select(change => AnItem(change.Item1.Value, change.Revision))], Token);
                else await Index.UpsertAsync(Items.Name, [.. changes.Select(change => AnItem(change.Item1.Value, change.Revision))], Token);
            }
        });
        await Task.WhenAll(writers);
        await Index.UpsertAsync(Items.Name, [.. Enumerable.Range(0, 20).Select(item => AnItem($"i{item}", 2))], Token); // old by now
        await Index.SettleAsync(Items.Name, Token);

        var newest = new Dictionary<string, (long Revision, bool Deleted)>();
        for (int writer = 0; writer < 6; writer++)
        {
            var random = new Random(writer);
            for (int round = 0; round < 12; round++)
            for (int item = 0; item < 20; item++)
            {
                bool deleted = round % 4 == 3;
                long revision = random.Next(1, 200) * 6L + writer;
                if (deleted) revision %= 300;
                if (!newest.TryGetValue($"i{item}", out var known) || revision > known.Revision || revision == known.Revision && deleted) newest[$"i{item}"] = (revision, deleted);
            }
        }
        Assert.Equal(newest.Where(item => !item.Value.Deleted).Select(item => (item.Key, item.Value.Revision)).OrderBy(item => item.Key, StringComparer.Ordinal), await RevisionsAsync());
    }

    [Fact]
    public async Task What_is_loaded_is_there_once_it_has_settled()
    {
        await With();
        await Index.LoadAsync(Items.Name, [.. Enumerable.Range(0, 600).Select(n => AnItem($"i{n}", 5, [1, n, 0]))], Token);
        await Index.UpsertAsync(Items.Name, [AnItem("i1", 9, [0, 0, 1]), AnItem("i2", 4), AnItem("new", 1, [0, 0, 1])], Token);
        await Index.DeleteAsync(Items.Name, [(new("i3"), 6), (new("late"), 6)], Token);
        await Index.LoadAsync(Items.Name, [AnItem("late", 5), AnItem("i1", 5), AnItem("i3", 5)], Token);
        await Index.SettleAsync(Items.Name, Token);
        await Index.SettleAsync(Items.Name, Token);
        Assert.Equal(600, await Index.CountAsync(Items.Name, ItemFilter.None, Token));
        Assert.Equal(["i1", "new"], (await Found(2, query: [0, 0, 1])).Order(StringComparer.Ordinal));
        Assert.Equal([("i0", 5), ("i1", 9)], (await RevisionsAsync()).Take(2));
        await Index.LoadAsync(Items.Name, [], Token);
    }

    [Fact]
    public async Task A_collection_that_is_not_there_is_named()
    {
        const string Nowhere = "items-cccccccc";
        var query = new SearchQuery(new QueryVector(Model, new float[] { 1, 0, 0 }), 1, ItemFilter.None);
        Func<ValueTask>[] calls =
        [
            () => Index.UpsertAsync(Nowhere, [AnItem("a")], Token), () => Index.UpsertAsync(Nowhere, [], Token), () => Index.LoadAsync(Nowhere, [AnItem("a")], Token), () => Index.SettleAsync(Nowhere, Token),
            () => Index.DeleteAsync(Nowhere, [(new("a"), 1)], Token),
            async () => await Index.CountAsync(Nowhere, ItemFilter.None, Token), async () => await Index.SearchAsync(Nowhere, [query], Token), async () => await Index.FetchAsync(Nowhere, [new("a")], Token),
            async () => await Index.ScrollAsync(Nowhere, ItemFilter.None, null, 1, Token), async () => await Index.RevisionsAsync(Nowhere, null, 1, Token), async () => await Index.HoldAsync(Nowhere, Token),
        ];
        foreach (var call in calls) Assert.Contains(Nowhere, (await Assert.ThrowsAsync<KeyNotFoundException>(async () => await call())).Message, StringComparison.Ordinal);
        Assert.True(await Index.DropAsync(Nowhere, Token));
    }
}
