using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.VectorIndex;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>Keeps the served pair at what alias <see cref="Alias"/> names: looks at start, when <see cref="IndexSwitched"/> arrives, and at intervals.</summary>
internal sealed class PairKeeping(
    IVectorIndex index, IModelStore models, ServingPairs pairs, LoadQueryEmbedder load, WakeSignal switched,
    IOptions<ApiOptions> options, TimeProvider time, ILogger<PairKeeping> logger) : BackgroundService
{
    public const string Alias = "items";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await FollowAliasAsync(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogError(failure, "The pair that alias {Alias} names could not be taken into service; {Serving} goes on", Alias, pairs.Identity);
            }
            await switched.WaitAsync(options.Value.CheckInterval, time, stoppingToken);
        }
    }

    internal async Task FollowAliasAsync(CancellationToken cancellationToken)
    {
        if (await index.ResolveAliasAsync(Alias, cancellationToken) is not { } alias || pairs.Identity?.Generation == alias.Generation) return;
        var collection = await index.FindAsync(alias.Collection, cancellationToken)
            ?? throw new InvalidDataException($"Alias {Alias} points at {alias.Collection}, which is not in the index.");
        var manifest = models.Find(collection.Version)
            ?? throw new InvalidDataException($"Collection {collection.Name} belongs to model {collection.Version}, which is not in the model store.");

        var embedder = load(manifest);
        if (embedder.Fingerprint != collection.Fingerprint)
        {
            embedder.Dispose();
            throw new InvalidDataException($"Collection {collection.Name} holds vectors of {collection.Fingerprint}, model {collection.Version} has fingerprint {manifest.Model.Fingerprint}.");
        }
        pairs.Switch(new ServingPair(new ServedBy(collection.Version, collection.Fingerprint, alias.Generation), collection.Name, embedder));
        logger.LogInformation("Serving model {Version} with {Collection}, generation {Generation}", collection.Version, collection.Name, alias.Generation);
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
