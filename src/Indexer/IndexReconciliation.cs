using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Indexer;

/// <summary>
/// Keeps alias <see cref="Alias"/> at the collection of the live model: compares the two at start, when <see cref="EncoderPublished"/> arrives and at intervals; builds and
/// switches where they differ. Until the switch the old pair serves; a failed build changes nothing and is tried again, ever later.
/// </summary>
internal sealed class IndexReconciliation(
    IEventLog log, IWindowStore windows, IModelStore models, IVectorIndex index, IndexTargets targets, LoadItemEmbedder load, ReadItemEvent read,
    PublishControlMessage publish, WakeSignal published, IOptions<IndexerOptions> options, TimeProvider time, ILogger<IndexReconciliation> logger) : BackgroundService
{
    public const string Alias = "items";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var persistent = Persistent.Pipeline("opening the index", time, logger);
        await persistent.ExecuteAsync(async token => await OpenAsync(token), stoppingToken);

        TimeSpan delay = options.Value.CheckInterval;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ReconcileAsync(stoppingToken);
                delay = options.Value.CheckInterval;
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogError(failure, "The index of model {Version} could not be built; what serves now goes on, next attempt in {DelaySeconds:0.0} s", models.Live, delay.TotalSeconds);
                await published.WaitAsync(delay, time, stoppingToken);
                delay = delay * 2 < options.Value.LongestRebuildDelay ? delay * 2 : options.Value.LongestRebuildDelay;
                continue;
            }
            await published.WaitAsync(options.Value.CheckInterval, time, stoppingToken);
        }
    }

    /// <summary>Takes up what serves since before the start, so that events flow while a newer model's collection is built.</summary>
    internal async Task OpenAsync(CancellationToken cancellationToken)
    {
        await targets.RestorePositionsAsync(log, cancellationToken);
        if (await index.ResolveAliasAsync(Alias, cancellationToken) is not { } alias) return;
        if (await index.FindAsync(alias.Collection, cancellationToken) is not { } collection || models.Find(collection.Version) is not { } manifest)
        {
            logger.LogWarning("Alias {Alias} points at {Collection}, whose model is not in the model store; it gets no more events until the live model's collection is built", Alias, alias.Collection);
            return;
        }
        try
        {
            targets.SetLive(new IndexTarget(collection, load(manifest), index, logger));
        }
        catch (InvalidDataException failure)
        {
            logger.LogError(failure, "Model {Version} of {Collection} does not load; the collection gets no more events until the live model's is built", collection.Version, collection.Name);
        }
    }

    /// <summary>Builds and switches when another model is live than the one indexed.</summary>
    internal async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        if (models.Live is not { } version || models.Find(version) is not { } manifest) return;
        string name = $"{Alias}-{manifest.Model.Fingerprint.Short}";
        if (targets.Live?.Collection.Name == name) return;

        logger.LogInformation("Building {Collection} for model {Version}", name, version);
        var embedder = load(manifest);
        var target = new IndexTarget(new CollectionInfo(name, embedder.Dimension, embedder.Fingerprint, version), embedder, index, logger);
        try
        {
            // Superseded: the newer one needs no waking.
            if (!await BuildAndSwitchAsync(target, cancellationToken)) published.Wake();
        }
        finally
        {
            if (targets.Live != target)
            {
                await targets.InsideGateAsync(() => { targets.SetBuilding(null); return Task.FromResult(true); }, CancellationToken.None);
                target.Dispose();
            }
        }
    }

    /// <returns>False: another model went live meanwhile.</returns>
    private async Task<bool> BuildAndSwitchAsync(IndexTarget target, CancellationToken cancellationToken)
    {
        var build = await CollectionBuild.BeginAsync(target, index, cancellationToken);
        var from = await targets.InsideGateAsync(() =>
        {
            targets.SetBuilding(build);
            return Task.FromResult(targets.Positions.ToDictionary());
        }, cancellationToken);

        var catalogue = await CatalogueSnapshot.ReadAsync(windows, log, read, from, options.Value.InteractionsForOrder, cancellationToken);
        var (version, name) = (target.Collection.Version, target.Collection.Name);
        bool filled = await build.FillAsync(catalogue, options.Value.RebuildBatch, async (done, total) =>
        {
            await TellAsync(new ReindexProgressed(version, name, done, total), cancellationToken);
            return models.Live == version;
        }, cancellationToken);
        if (!filled)
        {
            logger.LogInformation("Model {Newer} went live while {Collection} was built; building for that one instead", models.Live, name);
            return false;
        }
        await build.VerifyCanariesAsync(catalogue, cancellationToken);

        IndexTarget? before = null;
        long generation = await targets.InsideGateAsync(async () =>
        {
            if (build.Failure is { } failure) throw new InvalidOperationException($"An event could not be written to {name} while it was built.", failure);
            await build.VerifyCountAsync(cancellationToken);
            long moved = await index.PointAliasAsync(Alias, name, cancellationToken);
            before = targets.Live;
            targets.SetLive(target);
            targets.SetBuilding(null);
            return moved;
        }, cancellationToken);
        before?.Dispose();

        logger.LogInformation("Answers come from {Collection} with {Items} items, model {Version}, generation {Generation}", name, catalogue.Count, version, generation);
        await TellAsync(new IndexSwitched(version, target.Collection.Fingerprint, name, generation), cancellationToken);
        if (before is not null) await DropOthersAsync([name, before.Collection.Name], cancellationToken);
        return true;
    }

    /// <summary>The collection in service and the one before it stay, for a way back without encoding.</summary>
    private async Task DropOthersAsync(IReadOnlyCollection<string> kept, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var collection in await index.ListAsync(cancellationToken))
                if (collection.Name.StartsWith($"{Alias}-", StringComparison.Ordinal) && !kept.Contains(collection.Name))
                    await index.DropAsync(collection.Name, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            logger.LogWarning(failure, "Old collections could not be dropped; the next switch tries again");
        }
    }

    private async Task TellAsync(object message, CancellationToken cancellationToken)
    {
        try
        {
            await publish(message, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            logger.LogWarning(failure, "{Message} was not sent; its readers find out by looking", message.GetType().Name);
        }
    }
}

/// <summary>Sends a control message to whom it concerns.</summary>
internal delegate Task PublishControlMessage(object message, CancellationToken cancellationToken);
