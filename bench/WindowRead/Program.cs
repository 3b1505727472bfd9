// From segments to a training window: `dotnet run -c Release --project bench/WindowRead -- [interactions] [segments]`
using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore;

int Argument(int n, int otherwise) => args.Length > n ? int.Parse(args[n], CultureInfo.InvariantCulture) : otherwise;
int interactions = Argument(0, 1_000_000), segments = Argument(1, 100);
var random = new Random(1);
string folder = Directory.CreateTempSubdirectory("window-read-").FullName;
try
{
    var store = new ParquetWindowStore(folder);
    var clock = Stopwatch.StartNew();
    int size = interactions / segments;
    for (int s = 0; s < segments; s++)
    {
        var rows = Enumerable.Range(s * size, size).Select(o => new StoredInteraction(o, $"bench.csv:{o}", new UserId($"user-{random.Next(interactions / 20)}"),
            new ItemId($"item-{(int)(Math.Pow(random.NextDouble(), 2) * 20_000)}"), "purchase", 1, 1_700_000_000_000 + o * 100L, null)).ToArray();
        store.TryWriteInteractions(0, s * size, (s + 1) * size - 1, rows);
    }
    Console.WriteLine($"write: {interactions} rows, {segments} segments in {clock.Elapsed.TotalSeconds:F1} s, {store.Describe().Bytes / 1e6:F1} MB");
    Report("read", () => store.Read(new WindowQuery()).Count);
    Report("read again, at least 2 per user and item", () => store.Read(new WindowQuery { MinItemsPerUser = 2, MinUsersPerItem = 2 }).Count);
    Report("event ids", () => store.EventIds("bench.csv:").Count);
    Report("compact", store.Compact);
    Report("read compacted", () => store.Read(new WindowQuery()).Count);
}
finally
{
    Directory.Delete(folder, recursive: true);
}

static void Report(string what, Func<int> run)
{
    var clock = Stopwatch.StartNew();
    var before = Environment.CpuUsage.TotalTime;
    int count = run();
    Console.WriteLine($"{what}: {clock.Elapsed.TotalSeconds:F2} s, {(Environment.CpuUsage.TotalTime - before).TotalSeconds:F2} s of CPU ({count})");
}
