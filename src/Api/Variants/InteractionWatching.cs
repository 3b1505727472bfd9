using System.Collections.Concurrent;
using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Tells <see cref="Impressions"/> what users do, from the log, whoever wrote it there; from the end that the log has at start, since nothing was shown before. Repeated event ids are not looked for: a doubled purchase counts twice.
/// </summary>
internal sealed class InteractionWatching(IEventLog log, Variants variants, Impressions impressions, ReadInteraction read, TimeProvider time, ILogger<InteractionWatching> logger) : BackgroundService
{
    private readonly TaskCompletionSource _watching = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when events that come from now on are seen.</summary>
    public Task Watching => _watching.Task;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (variants.All.Count == 0) return;
        await Task.Yield();
        var persistent = Persistent.Pipeline("reading interactions for the variants", time, logger);
        var next = await persistent.ExecuteAsync(async token => await EndsAsync(token), stoppingToken);
        await using var subscription = log.Subscribe(Topics.Interactions, ReaderGroups.ApiVariants, partition => next.GetValueOrDefault(partition));
        _watching.TrySetResult();
        while (!stoppingToken.IsCancellationRequested)
        {
            using var batch = await persistent.ExecuteAsync(async token => await subscription.ReadAsync(1000, token), stoppingToken);
            foreach (var message in batch)
                if (message.Value is null) impressions.Forget(new UserId(Encoding.UTF8.GetString(message.Key.Span)));
                else if (read(message) is { } interaction) impressions.Note(interaction);
            next[batch.Partition] = batch.NextOffset; // a partition that comes anew goes on there
        }
    }

    private async Task<ConcurrentDictionary<int, long>> EndsAsync(CancellationToken cancellationToken)
    {
        var ends = new ConcurrentDictionary<int, long>();
        for (int partition = 0; partition < await log.PartitionsAsync(Topics.Interactions, cancellationToken); partition++)
            ends[partition] = await log.EndOffsetAsync(Topics.Interactions, partition, cancellationToken);
        return ends;
    }
}
