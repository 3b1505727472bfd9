using System.Diagnostics;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Indexer;

/// <summary>
/// Brings item events into the index as they come. A batch is what is queued when the one before is done, so an event waits for no timer.
/// The position is committed after the batch is durable in every target; a crash in between repeats the batch, which revisions make harmless.
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
        while (!stoppingToken.IsCancellationRequested)
        {
            var batch = await persistent.ExecuteAsync(async token => await subscription.ReadAsync(options.Value.MaxBatch, token), stoppingToken);
            using var activity = IndexerTracing.StartBatch(batch);
            var changes = ItemChange.NewestOf(batch, read);
            var (partition, next) = (batch.Partition, batch.NextOffset);
            await persistent.ExecuteAsync(async token => await targets.ApplyAsync(partition, next, changes, token), stoppingToken);
            activity?.AddEvent(new ActivityEvent("searchable"));
            await persistent.ExecuteAsync(async token => await subscription.CommitAsync(partition, next, token), stoppingToken);
        }
    }
}
