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
    /// <summary>Waits for what the next turn begins with.</summary>
    private Task<LogBatch>? _reading;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await targets.InServiceAsync(stoppingToken);
        var persistent = Persistent.Pipeline("indexing an item batch", time, logger);

        var positions = await targets.InsideGateAsync(() => Task.FromResult(targets.Positions.ToDictionary()), stoppingToken);
        await using var subscription = log.Subscribe(Topics.Items, ReaderGroups.Indexer, partition => positions.GetValueOrDefault(partition));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        try
        {
            while (!stop.IsCancellationRequested)
                await IndexAsync(subscription, await ReadTurnAsync(subscription, persistent, stop.Token), persistent, stop.Token);
        }
        finally
        {
            await stop.CancelAsync(); // whatever ended it
            if (_reading is { } last) await Task.WhenAny(last);
        }
    }

    /// <summary>Waits for the first batch and takes with it what is there already, of whatever partition.</summary>
    private async Task<List<LogBatch>> ReadTurnAsync(ILogSubscription subscription, ResiliencePipeline persistent, CancellationToken stoppingToken)
    {
        var turn = new List<LogBatch>();
        int taken = 0;
        do
        {
            var batch = await persistent.ExecuteAsync(async token =>
            {
                var reading = _reading ?? subscription.ReadAsync(options.Value.MaxBatch - taken, token).AsTask();
                _reading = null; // one that failed is repeated
                return await reading;
            }, stoppingToken);
            turn.Add(batch);
            taken += batch.Count;
            if (taken < options.Value.MaxBatch) _reading = subscription.ReadAsync(options.Value.MaxBatch - taken, stoppingToken).AsTask();
        } while (_reading is { IsCompletedSuccessfully: true });
        return turn;
    }

    private async Task IndexAsync(ILogSubscription subscription, List<LogBatch> turn, ResiliencePipeline persistent, CancellationToken stoppingToken)
    {
        using var activity = IndexerTracing.StartTurn(turn);
        PartitionChanges[] changes = [.. turn.GroupBy(batch => batch.Partition).Select(batches => new PartitionChanges(batches.Key, batches.Max(batch => batch.NextOffset), ItemChange.NewestOf(batches.SelectMany(batch => batch), read)))];
        await persistent.ExecuteAsync(async token => await targets.ApplyAsync(changes, token), stoppingToken);
        activity?.AddEvent(new ActivityEvent("searchable"));
        foreach (var (partition, next, _) in changes) await persistent.ExecuteAsync(async token => await subscription.CommitAsync(partition, next, token), stoppingToken);
    }
}
