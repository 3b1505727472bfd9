using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex.Embedded;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Random histories of upserts, deletions and reopenings against a dictionary that follows the definition.</summary>
public sealed class EmbeddedVectorIndexPropertyTests
{
    private static readonly Fingerprint Model = new(new string('a', 64));

    [Property(MaxTest = 40, Replay = "(2024,77)")]
    public void The_index_is_what_its_history_says(int seed) => Run(seed).GetAwaiter().GetResult();

    private static async Task Run(int seed)
    {
        var random = new Random(seed);
        int dimension = random.Next(1, 40);
        string folder = Directory.CreateTempSubdirectory("vector-index-").FullName;
        // So few rows and segments that histories run through sealing, merging and dividing into lists.
        var plan = random.Next(2) == 0 ? new StoragePlan(0, Background: false) : new StoragePlan(random.Next(2) * 5, RecentRows: 64, MaxSegments: 3, MinListedRows: 4, Background: false);
        var index = new EmbeddedVectorIndex(folder, plan);
        try
        {
            await index.CreateAsync(new CollectionInfo("c", dimension, Model, new ModelVersion("000001-aaaaaaaa")), default);
            var known = new Dictionary<ItemId, (long Revision, IndexedItem? Item)>();
            for (int step = 0; step < 30; step++)
            {
                var batch = Enumerable.Range(0, random.Next(1, 6)).Select(_ => (Id: new ItemId($"i{random.Next(12)}"), Revision: (long)random.Next(20))).ToList();
                if (random.Next(3) == 0)
                {
                    await index.DeleteAsync("c", batch, default);
                    foreach (var (id, revision) in batch)
                        if (!known.TryGetValue(id, out var state) || revision >= state.Revision) known[id] = (revision, null);
                }
                else
                {
                    var items = batch.Select(b => new IndexedItem(b.Id, b.Revision, Vector(random, dimension), $"t{random.Next()}", random.Next(4) > 0, new Dictionary<string, JsonElement>())).ToList();
                    await index.UpsertAsync("c", items, default);
                    foreach (var item in items)
                        if (!known.TryGetValue(item.Id, out var state) || item.Revision > state.Revision) known[item.Id] = (item.Revision, item);
                }
                if (random.Next(6) == 0)
                {
                    index.Dispose();
                    index = new EmbeddedVectorIndex(folder, plan);
                }
                if (random.Next(4) == 0) index.Get("c").SealAll();
                if (random.Next(6) == 0) index.Get("c").Tidy();
                await Compare(random, index, dimension, known);
            }
        }
        finally
        {
            index.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task Compare(Random random, EmbeddedVectorIndex index, int dimension, Dictionary<ItemId, (long Revision, IndexedItem? Item)> known)
    {
        var items = known.Values.Select(k => k.Item).OfType<IndexedItem>().OrderBy(i => i.Id).ToList();
        Assert.Equal(items.Select(i => (i.Id, i.Revision, i.Title, i.Available)), (await index.ScrollAsync("c", ItemFilter.None, null, 100, default)).Select(i => (i.Id, i.Revision, i.Title, i.Available)));
        float[] query = Vector(random, dimension);
        int k = random.Next(1, 15);
        var found = (await index.SearchAsync("c", [new SearchQuery(new QueryVector(Model, query), k, ItemFilter.None, Exact: true)], default))[0];
        // Small whole numbers make the naive scores far enough apart to compare, and exact ties stay ties up to rounding.
        var expected = items.Where(i => i.Available).Select(i => (i.Id, Score: Cosine(i.Vector, query))).OrderByDescending(i => Math.Round(i.Score, 5)).ThenBy(i => i.Id).Take(k).ToList();
        Assert.Equal(expected.Count, found.Count);
        for (int n = 0; n < found.Count; n++)
        {
            Assert.Equal(expected[n].Score, found[n].Score, 1e-5);
            Assert.Equal(Cosine(items.Single(i => i.Id == found[n].Id).Vector, query), found[n].Score, 1e-5);
        }
    }

    private static float[] Vector(Random random, int dimension)
    {
        var vector = Enumerable.Range(0, dimension).Select(_ => (float)random.Next(-3, 4)).ToArray();
        if (vector.All(v => v == 0)) vector[0] = 1;
        return vector;
    }

    private static double Cosine(float[] a, float[] b) =>
        a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(x => (double)x * x));
}
