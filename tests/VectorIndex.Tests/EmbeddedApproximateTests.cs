using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex.Embedded;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Searches that look into the nearest lists alone.</summary>
public sealed class EmbeddedApproximateTests : IAsyncLifetime
{
    private const int Dimension = 48, Centres = 60, Count = 12_000;
    private static readonly Fingerprint Model = new(new string('a', 64));
    private readonly string folder = Directory.CreateTempSubdirectory("vector-index-").FullName;
    private readonly Random random = new(12);
    private readonly float[][] centres;
    private readonly EmbeddedVectorIndex index;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public EmbeddedApproximateTests()
    {
        centres = [.. Enumerable.Range(0, Centres).Select(_ => SearchVectors.Any(random, Dimension))];
        index = new EmbeddedVectorIndex(folder, new StoragePlan(5000, RecentRows: 1024, MinListedRows: 2000));
    }

    public async ValueTask InitializeAsync()
    {
        await index.CreateAsync(new CollectionInfo("c", Dimension, Model, new ModelVersion("000001-aaaaaaaa")), Token);
        foreach (var some in Enumerable.Range(0, Count).Chunk(500)) await index.LoadAsync("c", [.. some.Select(n => Item(n, 1))], Token);
        await index.SettleAsync("c", Token);
    }

    public ValueTask DisposeAsync()
    {
        index.Dispose();
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private float[] Near() => SearchVectors.Near(random, centres[random.Next(Centres)], 0.35);

    private IndexedItem Item(int n, long revision) =>
        new(new ItemId($"i{n:D5}"), revision, Near(), "t", true, new Dictionary<string, JsonElement> { ["part"] = JsonSerializer.SerializeToElement(n % 1000), ["tenth"] = JsonSerializer.SerializeToElement(n % 10) });

    private async Task<(IReadOnlyList<ScoredItem> Approximate, IReadOnlyList<ScoredItem> Exact)> Both(float[] query, ItemFilter filter, int k = 20)
    {
        var found = await index.SearchAsync("c", [new SearchQuery(new QueryVector(Model, query), k, filter), new SearchQuery(new QueryVector(Model, query), k, filter, Exact: true)], Token);
        return (found[0], found[1]);
    }

    [Fact]
    public async Task Nearly_all_of_the_best_are_found_with_filters_and_without()
    {
        int lists = index.Get("c").Read(snapshot => snapshot.Parts.Max(part => part.Part.Lists?.Count ?? 0));
        Assert.InRange(lists, 50, 200);
        foreach (var filter in (ItemFilter[])[ItemFilter.None, new() { Must = [new AnyOf("tenth", [AttributeValue.From(3)])] }, new() { Must = [new AnyOf("part", [AttributeValue.From(7)])] }])
        {
            int hits = 0, all = 0, same = 0;
            for (int n = 0; n < 100; n++)
            {
                var (approximate, exact) = await Both(Near(), filter);
                Assert.Equal(approximate.OrderByDescending(item => item.Score).ThenBy(item => item.Id), approximate);
                hits += approximate.Select(item => item.Id).Intersect(exact.Select(item => item.Id)).Count();
                all += exact.Count;
                if (approximate.SequenceEqual(exact)) same++;
            }
            Assert.True(hits >= 0.99 * all, $"{hits} of {all}, the same {same} times of 100");
        }
    }

    [Fact]
    public async Task Lists_are_looked_into_and_not_all_rows()
    {
        int fewer = index.Get("c").Read(snapshot => snapshot.Parts.Count(part => part.Part.Lists is { } lists && lists.Choose(new QueryCodes(Near()), 20, 1) is { } chosen && chosen.Length < lists.Count / 2));
        Assert.True(fewer > 0, "no segment has lists that need not all be looked into");
        var (approximate, _) = await Both(Near(), ItemFilter.None, Count);
        Assert.Equal(Count, approximate.Count); // a k that lists cannot fill is answered from all rows
    }

    [Fact]
    public async Task New_and_changed_items_are_found_at_once_and_deleted_ones_never()
    {
        float[] query = Near();
        var first = (await Both(query, ItemFilter.None)).Exact;
        await index.DeleteAsync("c", [(first[0].Id, 2)], Token);
        await index.UpsertAsync("c", [new IndexedItem(new ItemId("new"), 1, query, "t", true, new Dictionary<string, JsonElement>())], Token);
        await index.UpsertAsync("c", [new IndexedItem(first[1].Id, 2, Array.ConvertAll(query, number => -number), "t", true, new Dictionary<string, JsonElement>())], Token);
        await index.UpsertAsync("c", [new IndexedItem(first[2].Id, 2, query, "t", false, new Dictionary<string, JsonElement>())], Token);
        var (approximate, exact) = await Both(query, ItemFilter.None);
        Assert.Equal("new", approximate[0].Id.Value);
        Assert.Equal(exact[0], approximate[0]);
        Assert.Empty(approximate.Select(item => item.Id).Intersect(first.Take(3).Select(item => item.Id)));
    }

    [Fact]
    public async Task Readers_and_writers_and_merging_at_once_give_whole_answers()
    {
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 4).Select(reader => Task.Run(async () =>
        {
            var own = new Random(reader);
            int answers = 0;
            do
            {
                float[] query = SearchVectors.Near(own, centres[own.Next(Centres)], 0.35);
                var (approximate, exact) = await Both(query, ItemFilter.None);
                Assert.Equal((20, 20), (approximate.Count, exact.Count));
                Assert.Equal(20, exact.Select(item => item.Id).Distinct().Count());
                Assert.Equal(Count, await index.CountAsync("c", ItemFilter.None, Token)); // each write replaces as many as it brings
                answers++;
            }
            while (!stop.IsCancellationRequested);
            return answers;
        }, Token)).ToArray();
        for (int round = 2; round < 10; round++) await index.UpsertAsync("c", [.. Enumerable.Range(0, 1000).Select(n => Item(n * 12, round))], Token);
        await index.SettleAsync("c", Token);
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(readers), answers => Assert.True(answers > 0));
        Assert.Equal(1000, (await index.RevisionsAsync("c", null, Count, Token)).Count(item => item.Revision == 9));
    }

    [Fact]
    public async Task A_collection_can_be_dropped_under_its_readers()
    {
        var reading = Task.Run(async () =>
        {
            try
            {
                while (true) await Both(SearchVectors.Any(new Random(1), Dimension), ItemFilter.None);
            }
            catch (KeyNotFoundException gone)
            {
                return gone.Message;
            }
        }, Token);
        await index.UpsertAsync("c", [Item(1, 2)], Token);
        Assert.True(await index.DropAsync("c", Token));
        Assert.Contains("There is no collection", await reading, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(Path.Combine(folder, "collections")));
    }
}
