using System.Diagnostics;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.VectorIndex;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Keeps the served pair at what alias <see cref="Alias"/> names: looks at start, when <see cref="IndexSwitched"/> arrives, and at intervals. What serves goes on
/// until the next pair has answered once; a pair that does not come up changes nothing and is tried again, ever later. The same for each pinned model, whose pair goes when its alias does.
/// </summary>
internal sealed class PairKeeping(
    IVectorIndex index, ServingPairs pairs, PinnedPairs pinned, LoadQueryEmbedder load, WakeSignal switched,
    IOptions<ApiOptions> options, TimeProvider time, ILogger<PairKeeping> logger) : BackgroundService
{
    public const string Alias = "items";
    private const string Canary = "A wooden chair for the garden.";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        TimeSpan delay = options.Value.CheckInterval;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await FollowAliasAsync(Alias, pairs, stoppingToken);
                foreach (var (version, own) in pinned.All) await FollowAliasAsync(PinnedPairs.AliasOf(version), own, stoppingToken);
                delay = options.Value.CheckInterval;
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogError(failure, "The pair that an alias names could not be taken into service; {Serving} goes on", pairs.Identity);
                await switched.WaitAsync(delay, time, stoppingToken);
                delay = Longer(delay, failure);
                continue;
            }
            await switched.WaitAsync(options.Value.CheckInterval, time, stoppingToken);
        }
    }

    /// <summary>A model that does not come up stays broken; a server that was away is there again at any moment, and questions may be waiting for it.</summary>
    internal static TimeSpan Longer(TimeSpan delay, Exception failure)
    {
        TimeSpan longest = TimeSpan.FromSeconds(failure is IOException ? 5 : 30);
        return delay * 2 < longest ? delay * 2 : longest;
    }

    private async Task FollowAliasAsync(string name, ServingPairs pairs, CancellationToken cancellationToken)
    {
        AliasTarget? missing = null, alias;
        while ((alias = await index.ResolveAliasAsync(name, cancellationToken)) is not null && pairs.Identity?.Generation != alias.Generation)
        {
            if (alias == missing) throw new InvalidDataException($"Alias {name} points at {alias.Collection}, which is not in the index.");
            using var activity = ServingTracing.Source.StartActivity("serve pair", ActivityKind.Consumer, switched.TakeTrace())?.SetTag("beeformer.collection", alias.Collection);
            IAsyncDisposable hold;
            try
            {
                hold = await index.HoldAsync(alias.Collection, cancellationToken);
            }
            catch (KeyNotFoundException)
            {
                missing = alias; // dropped since; then the alias has moved on
                continue;
            }
            try
            {
                pairs.Switch(await OpenAsync(name, alias, hold, cancellationToken));
            }
            catch
            {
                await hold.DisposeAsync();
                throw;
            }
            logger.LogInformation("Serving {Pair} with {Collection} for alias {Alias}", pairs.Identity, alias.Collection, name);
        }
        // No event reaches the collection any more.
        if (alias is null && name != Alias) pairs.Clear();
    }

    private async Task<ServingPair> OpenAsync(string name, AliasTarget alias, IAsyncDisposable hold, CancellationToken cancellationToken)
    {
        var collection = await index.FindAsync(alias.Collection, cancellationToken)
            ?? throw new InvalidDataException($"Alias {name} points at {alias.Collection}, which is not in the index.");
        var embedder = load(collection.Version);
        try
        {
            if (embedder.Fingerprint != collection.Fingerprint)
                throw new InvalidDataException($"Collection {collection.Name} holds vectors of {collection.Fingerprint}, model {collection.Version} has fingerprint {embedder.Fingerprint}.");
            // One question that nobody waits for: it touches all that the first request would have found cold, and a pair that cannot answer it does not serve.
            var query = new QueryVector(embedder.Fingerprint, embedder.EmbedQuery(Canary));
            await index.SearchAsync(collection.Name, query, QueryInput.DefaultK, ItemFilter.None, cancellationToken);
            return new ServingPair(new ServedBy(collection.Version, collection.Fingerprint, alias.Generation), collection.Name, embedder, hold);
        }
        catch
        {
            embedder.Dispose();
            throw;
        }
    }
}

/// <summary>Hurries <see cref="PairKeeping"/>; the alias says what serves.</summary>
internal sealed class IndexSwitchedConsumer([FromKeyedServices(ApiHosting.Switched)] WakeSignal switched) : IConsumer<IndexSwitched>
{
    public Task Consume(ConsumeContext<IndexSwitched> context)
    {
        switched.Wake();
        return Task.CompletedTask;
    }
}
