using System.Collections.Concurrent;
using System.Diagnostics;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Freshness;

/// <summary>Puts items at a rate while queries run at another, and times when each is found, and of every second one when it is gone again.</summary>
internal sealed class ItemStream(ShopClient shop, int itemsASecond, int queriesASecond)
{
    private readonly ConcurrentBag<double> _accepted = [], _found = [], _gone = [], _queries = [];
    private int _shownAfterDeletion;

    public async Task RunAsync(string name, IReadOnlyList<ItemEvent> items)
    {
        using var end = new CancellationTokenSource();
        var asking = EveryAsync(queriesASecond, n => AskAsync(items[n * 7 % items.Count]), end.Token);
        var watching = new List<Task>(items.Count);
        using var done = new CancellationTokenSource();
        await EveryAsync(itemsASecond, n =>
        {
            watching.Add(WatchAsync(items[n], delete: n % 2 == 0));
            if (n == items.Count - 1) done.Cancel();
            return Task.CompletedTask;
        }, done.Token);
        await Task.WhenAll(watching);
        await end.CancelAsync();
        await asking;
        Console.WriteLine($"  {name}:");
        Console.WriteLine($"    put → accepted    {Figures(_accepted)}");
        Console.WriteLine($"    put → found       {Figures(_found)}");
        Console.WriteLine($"    delete → gone     {Figures(_gone)}; {_shownAfterDeletion} shown after the acknowledgement");
        Console.WriteLine($"    a query           {Figures(_queries)}");
    }

    private async Task WatchAsync(ItemEvent item, bool delete)
    {
        var clock = Stopwatch.StartNew();
        await shop.PutAsync(item);
        _accepted.Add(clock.Elapsed.TotalMilliseconds);
        // To a tenth of what is measured: who asks more often measures the asking.
        while (!await shop.IsIndexedAsync(item)) await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(10, clock.Elapsed.TotalMilliseconds / 10)), TimeProvider.System);
        if (!await shop.FindsAsync(item)) throw new InvalidDataException($"{item.ItemId} is in the index and not found by its own text.");
        _found.Add(clock.Elapsed.TotalMilliseconds);
        if (!delete) return;

        clock.Restart();
        await shop.DeleteAsync(item);
        while (await shop.FindsAsync(item)) Interlocked.Increment(ref _shownAfterDeletion);
        _gone.Add(clock.Elapsed.TotalMilliseconds);
    }

    private async Task AskAsync(ItemEvent item)
    {
        var clock = Stopwatch.StartNew();
        await shop.FindsAsync(item);
        _queries.Add(clock.Elapsed.TotalMilliseconds);
    }

    /// <summary>Begins one after the other at the rate, whether those before have ended or not, and ends with the last of them.</summary>
    private static async Task EveryAsync(int aSecond, Func<int, Task> step, CancellationToken cancellationToken)
    {
        var steps = new List<Task>();
        var clock = Stopwatch.StartNew();
        for (int n = 0; !cancellationToken.IsCancellationRequested; n++)
        {
            var wait = TimeSpan.FromSeconds(n / (double)aSecond) - clock.Elapsed;
            if (wait > TimeSpan.Zero) await Task.Delay(wait, TimeProvider.System, CancellationToken.None);
            steps.Add(step(n));
        }
        await Task.WhenAll(steps);
    }

    private static string Figures(IEnumerable<double> times)
    {
        var sorted = times.Order().ToList();
        return sorted.Count == 0 ? "-" : $"p50 {sorted[sorted.Count / 2]:F0} ms, p99 {sorted[(int)Math.Ceiling(sorted.Count * 0.99) - 1]:F0} ms, most {sorted[^1]:F0} ms ({sorted.Count:N0})";
    }
}
