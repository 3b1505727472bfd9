using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Measures how soon an item event is findable: from the time when the log took it until the Indexer committed behind it. One event at a time, the last of those that came while the one before was awaited.
/// </summary>
internal sealed class ItemFreshness(IEventLog log, TimeProvider time, ILogger<ItemFreshness> logger) : BackgroundService
{
    private const int Kept = 1_000, MostAtOnce = 10_000;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(25);

    private readonly Lock _lock = new();
    private readonly Queue<double> _seconds = new(Kept);
    private readonly TaskCompletionSource _watching = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when events that come from now on are seen.</summary>
    public Task Watching => _watching.Task;

    /// <summary>Of the newest 1,000 measurements.</summary>
    public FreshnessSummary Read()
    {
        double[] sorted;
        lock (_lock) sorted = [.. _seconds.Order()];
        return new FreshnessSummary(sorted.Length, At(0.5), At(0.99));
        double? At(double share) => sorted.Length == 0 ? null : sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        await Persistent.Pipeline("measuring how fresh the index is", time, logger).ExecuteAsync(async token => await MeasureAsync(token), stoppingToken);
    }

    private async Task MeasureAsync(CancellationToken cancellationToken)
    {
        var ends = new Dictionary<int, long>();
        for (int partition = 0; partition < await log.PartitionsAsync(Topics.Items, cancellationToken); partition++)
            ends[partition] = await log.EndOffsetAsync(Topics.Items, partition, cancellationToken);
        await using var subscription = log.Subscribe(Topics.Items, ReaderGroups.ApiFreshness, partition => ends.GetValueOrDefault(partition));
        _watching.TrySetResult();
        using var timer = new PeriodicTimer(Look, time);
        while (true)
        {
            int partition;
            long next, taken;
            using (var batch = await subscription.ReadAsync(MostAtOnce, cancellationToken))
                (partition, next, taken) = (batch.Partition, batch.NextOffset, batch[^1].TimestampMs);
            while (await log.CommittedAsync(Topics.Items, ReaderGroups.Indexer, partition, cancellationToken) < next)
                await timer.WaitForNextTickAsync(cancellationToken);
            Note(Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - taken) / 1000.0);
        }
    }

    private void Note(double seconds)
    {
        lock (_lock)
        {
            if (_seconds.Count == Kept) _seconds.Dequeue();
            _seconds.Enqueue(seconds);
        }
    }
}

/// <param name="P50Seconds">From the log to findable; null: nothing was measured yet.</param>
internal sealed record FreshnessSummary(int Measured, double? P50Seconds, double? P99Seconds);
