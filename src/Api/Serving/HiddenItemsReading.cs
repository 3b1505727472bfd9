using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Feeds <see cref="HiddenItems"/> from the log, from the Indexer's position on: so a restart of the Api, another instance of it, or a producer that writes to the log
/// directly hides an item as surely as a request here. The Api answers, and is ready, once the end that the log had at start is reached.
/// </summary>
internal sealed class HiddenItemsReading(
    IEventLog log, IVectorIndex index, ServingPairs pairs, PinnedPairs pinned, HiddenItems hidden, ReadItemEvent read, IOptions<ApiOptions> options, TimeProvider time, ILogger<HiddenItemsReading> logger) : BackgroundService, IHealthCheck
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var persistent = Persistent.Pipeline("reading item events", time, logger);
        var (from, open) = await persistent.ExecuteAsync(async token => await OpenAsync(token), stoppingToken);
        if (open.Count == 0) hidden.Complete();

        await using var subscription = log.Subscribe(Topics.Items, ReaderGroups.ApiHiddenItems, partition => from.GetValueOrDefault(partition));
        var releasing = ReleaseAsync(persistent, stoppingToken);
        while (!stoppingToken.IsCancellationRequested)
        {
            using var batch = await persistent.ExecuteAsync(async token => await subscription.ReadAsync(1000, token), stoppingToken);
            hidden.Follow(batch.Partition, batch.NextOffset, Read(batch));
            if (open.TryGetValue(batch.Partition, out long end) && batch.NextOffset >= end && open.Remove(batch.Partition) && open.Count == 0) hidden.Complete();
        }
        await releasing;
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(hidden.IsComplete ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("reading the item events that the index does not hold yet"));

    private async Task<(Dictionary<int, long> From, Dictionary<int, long> Open)> OpenAsync(CancellationToken cancellationToken)
    {
        var from = new Dictionary<int, long>();
        var open = new Dictionary<int, long>();
        int partitions = await log.PartitionsAsync(Topics.Items, cancellationToken);
        for (int partition = 0; partition < partitions; partition++)
        {
            from[partition] = await log.CommittedAsync(Topics.Items, ReaderGroups.Indexer, partition, cancellationToken);
            long end = await log.EndOffsetAsync(Topics.Items, partition, cancellationToken);
            if (from[partition] < end) open[partition] = end;
        }
        return (from, open);
    }

    private List<(ItemId, bool, long)> Read(LogBatch batch)
    {
        var events = new List<(ItemId, bool, long)>();
        foreach (var message in batch)
        {
            if (message.Value is null)
            {
                if (ItemJson.TryReadKey(message.Key.Span, out var deleted, out _)) events.Add((deleted, true, message.Offset));
            }
            else if (read(message) is { } item) events.Add((item.ItemId, !item.Available, message.Offset));
        }
        return events;
    }

    private async Task ReleaseAsync(Polly.ResiliencePipeline persistent, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.CheckInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await persistent.ExecuteAsync(async token => await ReleaseIndexedAsync(token), stoppingToken);
    }

    /// <summary>Only a collection that is still written to may speak for itself: after a switch that the Api has not followed yet, nothing is released.</summary>
    internal async ValueTask ReleaseIndexedAsync(CancellationToken cancellationToken)
    {
        var indexed = new Dictionary<int, long>();
        foreach (int partition in hidden.Partitions())
            indexed[partition] = await log.CommittedAsync(Topics.Items, ReaderGroups.Indexer, partition, cancellationToken);
        if (indexed.Count == 0) return;

        // Asked after the positions: the collection in service now holds all that was committed before.
        var alias = await index.ResolveAliasAsync(PairKeeping.Alias, cancellationToken);
        if (alias is null || alias.Generation != pairs.Identity?.Generation) return;
        foreach (var (version, own) in pinned.All)
            if (own.Identity is { } serving && (await index.ResolveAliasAsync(PinnedPairs.AliasOf(version), cancellationToken))?.Generation != serving.Generation) return;
        foreach (var (partition, next) in indexed) hidden.Release(partition, next);
    }
}

/// <returns>Null when the message cannot be read.</returns>
internal delegate ItemEvent? ReadItemEvent(LogMessage message);
