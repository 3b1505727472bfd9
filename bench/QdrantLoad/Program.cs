using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.QdrantLoad;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.VectorIndex.Qdrant;
using Microsoft.Extensions.Logging.Abstractions;

// QdrantLoad [--items N] [--rounds N]: loads N × 384 into a Qdrant in turns, as the index does and as a plain loop does. QDRANT_ENDPOINT (and QDRANT_API_KEY): a real server; else the fake, which builds no graph.
int Option(string name, int otherwise) => Array.IndexOf(args, name) is >= 0 and var at ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : otherwise;

const int Dimension = 384, PerCall = 4096;
int count = Option("--items", 100_000), rounds = Option("--rounds", 3);
string? named = Environment.GetEnvironmentVariable("QDRANT_ENDPOINT"), key = Environment.GetEnvironmentVariable("QDRANT_API_KEY");
using var fake = named is null ? ServerProcess.Start() : null;
var options = new QdrantOptions { Endpoint = named ?? fake!.Endpoint, ApiKey = key };
using var index = new QdrantVectorIndex(options, TimeProvider.System, NullLogger<QdrantVectorIndex>.Instance);

var random = new Random(1);
var none = new Dictionary<string, JsonElement>();
var items = new List<IndexedItem>(count);
for (int n = 0; n < count; n++)
{
    var vector = new float[Dimension];
    for (int d = 0; d < Dimension; d++) vector[d] = random.NextSingle() - 0.5f;
    items.Add(new IndexedItem(new ItemId($"item-{n}"), n + 1, vector, $"Title of item {n}, as long as titles are", n % 10 != 0, none)); // each of another revision, as in the log
}

Console.WriteLine($"{count} × {Dimension} into {(named is null ? "the fake (a process of this machine)" : named)}, {options.UpsertBatch} a request, {options.InFlight} at once");
Console.WriteLine("round | plain upserts, items/s | LoadAsync + SettleAsync, items/s | ratio");
for (int round = 0; round < rounds; round++)
{
    double plain = 0, loaded = 0;
    foreach (bool own in round % 2 == 0 ? new[] { false, true } : [true, false])
    {
        long start = Stopwatch.GetTimestamp();
        if (own)
        {
            var collection = new CollectionInfo("bench-own", Dimension, new Fingerprint(new string('a', 64)), new ModelVersion("000001-aaaaaaaa"));
            await index.CreateAsync(collection, default);
            foreach (var call in items.Chunk(PerCall)) await index.LoadAsync(collection.Name, call, default);
            await index.SettleAsync(collection.Name, default);
            loaded = count / Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (await index.CountAsync(collection.Name, ItemFilter.None, default) != count) throw new InvalidDataException("Not all items are there.");
            await index.DropAsync(collection.Name, default);
        }
        else
        {
            await PlainLoad.RunAsync(options.Endpoint, key, "bench-plain", Dimension, items, options.UpsertBatch, options.InFlight);
            plain = count / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{round + 1,5} | {plain,22:N0} | {loaded,32:N0} | {loaded / plain:0.00}"));
}
