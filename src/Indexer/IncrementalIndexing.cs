using System.Diagnostics;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;

namespace BeeFormer.Streaming.Indexer;

/// <summary>
/// Brings item events into the index as they come. A turn takes what is queued, of all partitions, when the one before is done; so an event waits for no timer and for no other partition's turn.
/// Positions are committed after the turn is durable in every target; a crash in between repeats it, which revisions make harmless.
/// </summary>
internal sealed class IncrementalIndexing(
    IEventLog log, IndexTargets targets, ReadItemEvent read, IOptions<IndexerOptions> options, TimeProvider time, ILogger<IncrementalIndexing> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await targets.InServiceAsync(stoppingToken);
        var persistent = Persistent.Pipeline("indexing an item batch", time, logger);

        var positions = await targets.InsideGateAsync(() => Task.FromResult(targets.Positions.ToDictionary()), stoppingToken);
        await using var subscription = log.Subscribe(Topics.Items, ReaderGroups.Indexer, partition => positions.GetValueOrDefault(partition));
        ValueTask<LogBatch>? reading = null;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var turn = new Dictionary<int, List<LogBatch>>();
                int taken = 0;
                do
                {
                    var batch = await persistent.ExecuteAsync(async token =>
                    {
                        var begun = reading ?? subscription.ReadAsync(options.Value.MaxBatch - taken, token);
                        reading = null; // one that failed is repeated
                        return await begun;
                    }, stoppingToken);
                    if (!turn.TryGetValue(batch.Partition, out var ofPartition)) turn[batch.Partition] = ofPartition = [];
                    ofPartition.Add(batch);
                    taken += batch.Count;
                    if (taken < options.Value.MaxBatch) reading = subscription.ReadAsync(options.Value.MaxBatch - taken, stoppingToken);
                } while (reading is { IsCompletedSuccessfully: true });
                await IndexAsync(subscription, turn, persistent, stoppingToken);
            }
        }
        finally
        {
            if (reading is { } last) await Task.WhenAny(last.AsTask()); // it has heard of the end, too
        }

    private async Task IndexAsync(ILogSubscription subscription, Dictionary<int, List<LogBatch>> turn, ResiliencePipeline persistent, CancellationToken stoppingToken)
    {
        using var activity = IndexerTracing.StartTurn(turn.Values.SelectMany(batches => batches).SelectMany(batch => batch));
        PartitionChanges[] changes = [.. turn.Select(partition => new PartitionChanges(partition.Key, partition.Value[^1].NextOffset, ItemChange.NewestOf(partition.Value.SelectMany(batch => batch), read)))];
        await persistent.ExecuteAsync(async token => await targets.ApplyAsync(changes, token), stoppingToken);
        activity?.AddEvent(new ActivityEvent("searchable"));
        foreach (var (partition, next, _) in changes) await persistent.ExecuteAsync(async token => await subscription.CommitAsync(partition, next, token), stoppingToken);
    }
}
