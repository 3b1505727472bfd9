// Searches of the embedded index beside a plain scan of floats and DuckDB: `dotnet run -c Release --project bench/VectorSearch -- [--items 100000] [--dimension 384] [--queries 300] [--unstructured]`
using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.VectorIndex.Embedded;

const int K = 20, Batch = 1000;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
int items = Argument("--items", 100_000), dimension = Argument("--dimension", 384), queries = Argument("--queries", 300);
var catalogue = new Catalogue(items, dimension, clustered: !args.Contains("--unstructured"));
catalogue.Make();
float[][] asked = [.. Enumerable.Range(0, queries).Select(_ => catalogue.Vector())];
string folder = Directory.CreateTempSubdirectory("vector-search-").FullName;
try
{
    Console.WriteLine($"{items:N0} x {dimension}, {catalogue.Name}, {Environment.ProcessorCount} cores, top-{K}");
    var index = new EmbeddedVectorIndex(folder);
    await index.CreateAsync(new CollectionInfo("items", dimension, Catalogue.Model, new ModelVersion("000001-aaaaaaaa")), default);
    var clock = Stopwatch.StartNew();
    var cpu = Timing.Cpu;
    foreach (var some in Enumerable.Range(0, items).Chunk(Batch)) await index.LoadAsync("items", [.. some.Select(n => catalogue.Item(n, 1))], default);
    double loaded = clock.Elapsed.TotalSeconds;
    await index.SettleAsync("items", default);
    Console.WriteLine($"load: {loaded:F2} s, {loaded / items * 1e6:F1} us an item ({(Timing.Cpu - cpu).TotalMicroseconds / items:F1} of processor time), batches of {Batch}; settled after {clock.Elapsed.TotalSeconds:F1} s");

    double[] openings = [.. Enumerable.Range(0, 3).Select(_ => Reopen())];
    Console.WriteLine($"open: {string.Join(", ", openings.Select(seconds => $"{seconds * 1000:F0} ms"))}");

    long codes = (long)items * dimension;
    double one = Timing.ReadRate(codes, 1), two = Timing.ReadRate(codes, 2);
    Console.WriteLine($"plain reading of as many bytes as there are codes: {one:F1} GB/s by one thread, {two:F1} by two");

    var plain = new PlainScan(catalogue);
    using var duck = new DuckDbScan(catalogue);
    var tenth = new ItemFilter { Must = [new AnyOf("tenth", [AttributeValue.From(3)])] };
    var thousandth = new ItemFilter { Must = [new AnyOf("thousandth", [AttributeValue.From(3)])] };
    bool approximate = items >= new EmbeddedIndexOptions().ApproximateFrom;
    Console.WriteLine($"{"",-44} {"p50 ms",8} {"p99 ms",8} {"CPU ms",8}");
    int few = Math.Min(queries, 40);
    for (int round = 0; round < 2; round++) // in turns, so that a neighbour's load hits all of them
    {
        var exact = Report("exact, 1 client", Timing.Of(queries, 1, n => Search(n, ItemFilter.None, true)));
        var plainTimes = Report("plain float scan, 1 thread", Timing.Of(few, 1, n => Task.FromResult(plain.Search(asked[n % queries], K))));
        var duckTimes = Report("DuckDB array_inner_product, all cores", Timing.Of(few, 1, n => Task.FromResult(duck.Search(asked[n % queries], K))));
        Console.WriteLine($"  exact is {plainTimes.P50 / exact.P50:F1} x the plain scan and {duckTimes.P50 / exact.P50:F1} x DuckDB (in processor time {plainTimes.Cpu / exact.Cpu:F1} x and {duckTimes.Cpu / exact.Cpu:F1} x); its codes pass at {codes / exact.P50 / 1e6:F1} GB/s");
        Report("exact, 1 client, a tenth passes", Timing.Of(queries, 1, n => Search(n, tenth, true)));
        Report("exact, 1 client, a thousandth passes", Timing.Of(queries, 1, n => Search(n, thousandth, true)));
        Report("exact, 8 clients", Timing.Of(Math.Max(20, queries / 4), 8, n => Search(n, ItemFilter.None, true)));
        Report("exact, 8 queries in one call", Timing.Of(Math.Max(20, queries / 8), 1, n => SearchMany(n, true)));
        if (!approximate) continue;
        Report("approximate, 1 client", Timing.Of(queries, 1, n => Search(n, ItemFilter.None, false)));
        Report("approximate, 1 client, a tenth passes", Timing.Of(queries, 1, n => Search(n, tenth, false)));
        Report("approximate, 1 client, a thousandth passes", Timing.Of(queries, 1, n => Search(n, thousandth, false)));
        Report("approximate, 8 clients", Timing.Of(Math.Max(20, queries / 2), 8, n => Search(n, ItemFilter.None, false)));
    }

    var recall = new Dictionary<string, double>();
    foreach (float[] query in asked.Take(few))
    {
        var truth = PlainScan.Exact(catalogue, query, K);
        foreach (bool exact in (bool[])[true, false])
        {
            var found = await index.SearchAsync("items", [new SearchQuery(new QueryVector(Catalogue.Model, query), K, ItemFilter.None, exact)], default);
            string way = exact ? "exact" : "approximate";
            recall[way] = recall.GetValueOrDefault(way) + found[0].Count(item => truth.Contains(int.Parse(item.Id.Value.AsSpan(5)))) / (double)(K * few);
        }
    }
    Console.WriteLine($"recall@{K} against brute force in double, {few} queries: {string.Join(", ", recall.Select(way => $"{way.Key} {way.Value:F4}"))}");

    using var stop = new CancellationTokenSource();
    var writing = Task.Run(() => Upserts(stop.Token));
    Report("exact, 1 client, while batches are upserted", Timing.Of(queries, 1, n => Search(n, ItemFilter.None, true)));
    await stop.CancelAsync();
    var (upserted, seconds) = await writing;
    Console.WriteLine($"durable upserts beside it: {upserted / seconds:F0} items/s in batches of {Batch}");
    clock.Restart();
    for (int n = 0; n < 100; n++) await index.UpsertAsync("items", [catalogue.Item(n, 1_000_000_000)], default);
    Console.WriteLine($"durable upserts one by one: {clock.Elapsed.TotalMilliseconds / 100:F1} ms each");
    index.Dispose();

    double Reopen()
    {
        index.Dispose();
        long start = Stopwatch.GetTimestamp();
        index = new EmbeddedVectorIndex(folder);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    Task Search(int n, ItemFilter filter, bool exact) =>
        index.SearchAsync("items", [new SearchQuery(new QueryVector(Catalogue.Model, asked[n % queries]), K, filter, exact)], default).AsTask();

    Task SearchMany(int n, bool exact) =>
        index.SearchAsync("items", [.. Enumerable.Range(n, 8).Select(q => new SearchQuery(new QueryVector(Catalogue.Model, asked[q % queries]), K, ItemFilter.None, exact))], default).AsTask();

    async Task<(int Items, double Seconds)> Upserts(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        int count = 0;
        for (int round = 2; !cancellationToken.IsCancellationRequested; round++, count += Batch)
            await index.UpsertAsync("items", [.. Enumerable.Range(0, Batch).Select(n => catalogue.Item((n * 97 + round * 13) % items, round))], default);
        return (count, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}
finally
{
    Directory.Delete(folder, recursive: true);
}

int Argument(string name, int otherwise) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : otherwise;

static (double P50, double Cpu) Report(string what, (double[] Sorted, double Cpu) times)
{
    Console.WriteLine($"{what,-44} {times.Sorted.P50(),8:F2} {times.Sorted.P99(),8:F2} {times.Cpu,8:F2}");
    return (times.Sorted.P50(), times.Cpu);
}
