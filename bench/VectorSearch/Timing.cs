using System.Diagnostics;
using System.Runtime.Intrinsics;

internal static class Timing
{
    /// <summary>Milliseconds of each call, sorted, and of processor time a call on average; the first tenth of the calls is not counted in the former.</summary>
    public static (double[] Sorted, double Cpu) Of(int calls, int clients, Func<int, Task> call)
    {
        var times = new List<double>();
        var threads = Enumerable.Range(0, clients).Select(client => new Thread(() =>
        {
            var own = new List<double>();
            for (int n = 0; n < calls; n++)
            {
                long start = Stopwatch.GetTimestamp();
                call(client * calls + n).GetAwaiter().GetResult();
                if (n >= calls / 10) own.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            lock (times) times.AddRange(own);
        })).ToList();
        var before = Cpu;
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        times.Sort();
        return ([.. times], (Cpu - before).TotalMilliseconds / (calls * clients));
    }

    /// <summary>Processor time of all threads so far: what neighbours cannot lengthen much.</summary>
    public static TimeSpan Cpu => Environment.CpuUsage.TotalTime;

    public static double P50(this double[] sorted) => sorted[sorted.Length / 2];

    public static double P99(this double[] sorted) => sorted[Math.Min(sorted.Length - 1, sorted.Length * 99 / 100)];

    /// <summary>GB/s at which plain loads go over so many bytes: the best of five.</summary>
    public static double ReadRate(long bytes, int threads)
    {
        long[][] memory = [.. Enumerable.Range(0, threads).Select(_ => new long[bytes / 8 / threads])];
        foreach (long[] part in memory) part.AsSpan().Fill(1);
        double best = 0;
        for (int round = 0; round < 5; round++)
        {
            long start = Stopwatch.GetTimestamp();
            var readers = memory.Select(part => new Thread(() =>
            {
                Vector512<long> sum = default, other = default;
                var rest = part.AsSpan();
                for (; rest.Length >= 16; rest = rest[16..])
                {
                    sum += Vector512.Create<long>(rest);
                    other += Vector512.Create<long>(rest[8..]);
                }
                if (Vector512.Sum(sum + other) != part.Length / 16 * 16) throw new InvalidOperationException("the sum of ones is their number");
            })).ToList();
            readers.ForEach(reader => reader.Start());
            readers.ForEach(reader => reader.Join());
            best = Math.Max(best, bytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }
        return best;
    }
}
