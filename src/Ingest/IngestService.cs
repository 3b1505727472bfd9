using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Ingest;

/// <summary>Consumes both topics until the host stops. What another attempt cannot mend stops the host.</summary>
internal sealed class IngestService(
    IEventLog log, IWindowStore store, IProfiles profiles, IOptions<IngestOptions> options, TimeProvider time, IngestMetrics metrics, IngestHealth health, LogErasing erasing, ILogger<IngestService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var interactions = new TopicIngest<InteractionColumns>(new InteractionRows(store, profiles, log, erasing, options.Value, metrics), log, options.Value, time, metrics, health, logger);
        var items = new TopicIngest<List<StoredItem>>(new ItemRows(store, options.Value), log, options.Value, time, metrics, health, logger);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        // Threads of their own: stores write synchronously, and starting the host must not wait for them.
        var running = new[] { Task.Run(() => interactions.RunAsync(stop.Token), CancellationToken.None), Task.Run(() => items.RunAsync(stop.Token), CancellationToken.None) };
        try
        {
            await await Task.WhenAny(running).ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await profiles.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        await Task.WhenAll(running).ConfigureAwait(false);
    }
}
