// Exact search in the embedded index: `dotnet run -c Release --project bench/VectorSearch -- [items] [dimension] [queries]`
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.VectorIndex.Embedded;

int Argument(int n, int otherwise) => args.Length > n ? int.Parse(args[n], CultureInfo.InvariantCulture) : otherwise;
int items = Argument(0, 100_000), dimension = Argument(1, 384), queries = Argument(2, 300);
var random = new Random(1);
var model = new Fingerprint(new string('a', 64));
string folder = Directory.CreateTempSubdirectory("vector-search-").FullName;
try
{
    using (var index = new EmbeddedVectorIndex(folder))
    {
        await index.CreateAsync(new CollectionInfo("items", dimension, model, new ModelVersion("000001-aaaaaaaa")), default);
        var clock = Stopwatch.StartNew();
        foreach (var ids in Enumerable.Range(0, items).Chunk(1000))
            await index.UpsertAsync("items", [.. ids.Select(id => new IndexedItem(new ItemId($"item-{id}"), id, Vector(), $"Item {id}", true, new Dictionary<string, JsonElement>()))], default);
        Console.WriteLine($"upsert: {items} items in {clock.Elapsed.TotalSeconds:F1} s, batches of 1000, each durable");
        var times = new List<double>();
        for (int n = 0; n < queries + 20; n++)
        {
            var query = new QueryVector(model, Vector());
            clock.Restart();
            await index.SearchAsync("items", query, 20, ItemFilter.None, default);
            if (n >= 20) times.Add(clock.Elapsed.TotalMilliseconds);
        }
        times.Sort();
        Console.WriteLine($"top-20 of {items} x {dimension}: p50 {times[times.Count / 2]:F1} ms, p99 {times[times.Count * 99 / 100]:F1} ms, one thread");
    }
    var opening = Stopwatch.StartNew();
    new EmbeddedVectorIndex(folder).Dispose();
    Console.WriteLine($"open: {opening.Elapsed.TotalSeconds:F1} s");
}
finally
{
    Directory.Delete(folder, recursive: true);
}

float[] Vector() => [.. Enumerable.Range(0, dimension).Select(_ => random.NextSingle() - 0.5f)];
