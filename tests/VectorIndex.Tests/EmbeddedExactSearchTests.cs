using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex.Embedded;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Searches against brute force in double: near ties, duplicates, outliers, tiny and odd dimensions, several queries at once, hidden and deleted items.</summary>
public sealed class EmbeddedExactSearchTests
{
    private static readonly Fingerprint Model = new(new string('a', 64));

    [Property(MaxTest = 60, Replay = "(31,7)")]
    public void The_answer_is_that_of_brute_force(int seed) => Run(seed).GetAwaiter().GetResult();

    private static async Task Run(int seed)
    {
        var random = new Random(seed);
        int dimension = random.Next(3) switch { 0 => random.Next(1, 5), 1 => random.Next(5, 70), _ => random.Next(70, 400) };
        string folder = Directory.CreateTempSubdirectory("vector-index-").FullName;
        var plan = new StoragePlan(random.Next(2) * 200, RecentRows: 64 * random.Next(1, 5), MaxSegments: 3, MinListedRows: 100, Background: false);
        try
        {
            using var index = new EmbeddedVectorIndex(folder, plan);
            await index.CreateAsync(new CollectionInfo("c", dimension, Model, new ModelVersion("000001-aaaaaaaa")), default);
            var centres = Enumerable.Range(0, 4).Select(_ => SearchVectors.Any(random, dimension)).ToArray();
            var items = new Dictionary<ItemId, (float[] Vector, bool Available)>();
            int count = random.Next(1, 900);
            double distance = Math.Pow(10, -random.Next(0, 9)); // the smallest are near ties, or the same
            for (int n = 0; n < count; n++)
            {
                var id = new ItemId($"i{random.Next(2 * count)}");
                float[] vector = random.Next(5) switch { 0 => centres[random.Next(4)], 1 => SearchVectors.Any(random, dimension), _ => SearchVectors.Near(random, centres[random.Next(4)], distance) };
                bool available = random.Next(8) > 0;
                await index.LoadAsync("c", [new IndexedItem(id, n, vector, "t", available, new Dictionary<string, JsonElement>())], default);
                items[id] = (vector, available);
                if (random.Next(200) == 0) index.Get("c").Tidy();
            }
            foreach (var id in items.Keys.Where(_ => random.Next(10) == 0).ToList())
            {
                await index.DeleteAsync("c", [(id, count)], default);
                items.Remove(id);
            }
            if (random.Next(2) == 0) await index.SettleAsync("c", default);

            // As stored: what brute force sees is what was stored to the bit.
            var stored = (await index.FetchAsync("c", [.. items.Keys], default)).ToDictionary(item => item.Id);
            Assert.Equal(items.Count, stored.Count);
            var queries = Enumerable.Range(0, random.Next(1, 6)).Select(_ => (Vector: random.Next(2) == 0 ? SearchVectors.Any(random, dimension) : SearchVectors.Near(random, centres[random.Next(4)], distance), K: random.Next(4) == 0 ? 2 * count : random.Next(1, 40))).ToList();
            var found = await index.SearchAsync("c", [.. queries.Select(query => new SearchQuery(new QueryVector(Model, query.Vector), query.K, ItemFilter.None, Exact: true))], default);
            for (int q = 0; q < queries.Count; q++)
            {
                float[] unit = UnitVector.Of("query", queries[q].Vector, dimension);
                var expected = stored.Values.Where(item => item.Available).Select(item => (item.Id, Score: ExactProduct.Of(unit, item.Vector))).OrderByDescending(item => item.Score).ThenBy(item => item.Id).Take(queries[q].K).ToList();
                Assert.All(expected, item => Assert.Equal(unit.Zip(stored[item.Id].Vector, (a, b) => (double)a * b).Sum(), item.Score, 1e-12));
                Assert.Equal(expected.Select(item => (item.Id, (float)item.Score)), found[q].Select(item => (item.Id, item.Score)));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Large_passes_by_two_threads_answer_as_brute_force_does()
    {
        var token = TestContext.Current.CancellationToken;
        const int Dimension = 1024, Count = 10_000; // more than the least that a second thread helps with
        string folder = Directory.CreateTempSubdirectory("vector-index-").FullName;
        try
        {
            using var index = new EmbeddedVectorIndex(folder, new StoragePlan(0));
            await index.CreateAsync(new CollectionInfo("c", Dimension, Model, new ModelVersion("000001-aaaaaaaa")), token);
            var random = new Random(3);
            float[][] vectors = [.. Enumerable.Range(0, Count).Select(_ => SearchVectors.Any(random, Dimension))];
            await index.LoadAsync("c", [.. vectors.Select((vector, n) => new IndexedItem(new ItemId($"{n:D5}"), n, vector, "t", true, new Dictionary<string, JsonElement>()))], token);
            await index.SettleAsync("c", token);
            var stored = await index.ScrollAsync("c", ItemFilter.None, null, Count, token);
            for (int n = 0; n < 4; n++)
            {
                float[] query = SearchVectors.Any(random, Dimension);
                var found = await index.SearchAsync("c", new QueryVector(Model, query), 30, ItemFilter.None, token);
                float[] unit = UnitVector.Of("query", query, Dimension);
                Assert.Equal(stored.Select(item => (item.Id, Score: ExactProduct.Of(unit, item.Vector))).OrderByDescending(item => item.Score).ThenBy(item => item.Id).Take(30).Select(item => item.Id), found.Select(item => item.Id));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
