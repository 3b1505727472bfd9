using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Scaling;

/// <summary>A window of ever more interactions: one user for 20, items up to 100,000, segments of 500,000 as compaction leaves them.</summary>
internal static class WindowSizes
{
    private const int SegmentRows = 500_000;

    public static void Measure(string folder, IReadOnlyList<int> sizes)
    {
        Console.WriteLine("| interactions | bytes each on disk | all of it, s | CPU, s | growth in time | largest memory meanwhile, MB | bytes of the result each | newest 1,000,000, s |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        string warm = Path.Combine(folder, "warm"); // the first read of a process loads DuckDB
        var small = new ParquetWindowStore(warm);
        Write(small, 1_000);
        small.Read(new WindowQuery());
        double before = 0;
        foreach (int interactions in sizes)
        {
            string place = Path.Combine(folder, $"{interactions}");
            var store = new ParquetWindowStore(place);
            Write(store, interactions);
            GC.Collect();
            long held = GC.GetTotalMemory(forceFullCollection: true);
            var cpu = Environment.CpuUsage.TotalTime;
            var clock = Stopwatch.StartNew();
            InteractionWindow window;
            double peak;
            using (var memory = new ResidentMemory())
            {
                window = store.Read(new WindowQuery());
                peak = memory.Most;
            }
            double seconds = clock.Elapsed.TotalSeconds, used = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
            long result = GC.GetTotalMemory(forceFullCollection: true) - held;
            int count = window.Count;
            GC.KeepAlive(window);
            window = null!;
            clock.Restart();
            int newest = store.Read(new WindowQuery { LastN = 1_000_000 }).Count;
            double newestSeconds = clock.Elapsed.TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {count:N0} | {store.Describe().Bytes / (double)interactions:F1} | {seconds:F2} | {used:F2} | {(before == 0 ? "" : $"{seconds / before:F1}")} | {peak / 1e6:F0} | {result / (double)count:F1} | {newestSeconds:F2} ({newest:N0}) |"));
            before = seconds;
            Directory.Delete(place, recursive: true);
        }
    }

    private static void Write(ParquetWindowStore store, int interactions)
    {
        var random = new Random(1);
        for (long first = 0; first < interactions; first += SegmentRows)
        {
            var rows = new StoredInteraction[Math.Min(SegmentRows, interactions - first)];
            for (int n = 0; n < rows.Length; n++)
                rows[n] = new StoredInteraction(first + n, $"e{first + n}", new UserId($"user-{random.Next(interactions / 20)}"), new ItemId($"item-{(int)(Math.Pow(random.NextDouble(), 2) * 100_000)}"), "purchase", null, 1_700_000_000_000 + (first + n) * 100, null);
            store.TryWriteInteractions(0, first, first + rows.Length - 1, rows);
        }
    }
}

/// <summary>The most that this process holds while something runs.</summary>
internal sealed class ResidentMemory : IDisposable
{
    private readonly Timer _timer;
    private long _most = Environment.WorkingSet;

    public ResidentMemory() => _timer = new Timer(_ => Look(), null, 0, 20);

    public long Most
    {
        get
        {
            Look();
            return Interlocked.Read(ref _most);
        }
    }

    private void Look()
    {
        long now = Environment.WorkingSet;
        while (Interlocked.Read(ref _most) is var most && now > most && Interlocked.CompareExchange(ref _most, now, most) != most) { }
    }

    public void Dispose() => _timer.Dispose();
}
