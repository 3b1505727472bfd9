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
/// switches where they differ. Until the switch the old pair serves; a failed build changes nothing and is tried again, ever later. Where they agree, what the index lost is repaired (<see cref="IndexRepair"/>).
/// </summary>
internal sealed class IndexReconciliation(
    IEventLog log, IWindowStore windows, IModelStore models, PatientIndex index, IndexTargets targets, LoadItemEmbedder load, ReadItemEvent read,
    PublishControlMessage publish, WakeSignal published, IOptions<IndexerOptions> options, TimeProvider time, IndexerMetrics metrics, ILogger<IndexReconciliation> logger) : BackgroundService
{
    public const string Alias = "items";

    private readonly IndexRepair _repair = new(index, targets, windows, log, read, options.Value, time, metrics, logger);
    private readonly OldCollections _old = new(index, Alias + "-", logger);
    private string? _servedBefore;
    private Task _telling = Task.CompletedTask;

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
        if (models.Previous is { } previous && models.Find(previous) is { } served) _servedBefore = CollectionOf(served);
        if (await index.ResolveAliasAsync(Alias, cancellationToken) is not { } alias) return;
        if (await index.FindAsync(alias.Collection, cancellationToken) is not { } collection || models.Find(collection.Version) is not { } manifest)
        {
            logger.LogWarning("Alias {Alias} points at {Collection}, whose model is not in the model store; it gets no more events until the live model's collection is built", Alias, alias.Collection);
            return;
        }
        try
        {
            targets.SetLive(TargetOf(collection, load(manifest)));
        }
        catch (InvalidDataException failure)
        {
            logger.LogError(failure, "Model {Version} of {Collection} does not load; the collection gets no more events until the live model's is built", collection.Version, collection.Name);
        }
    }

    /// <summary>Builds and switches when another model is live than the one indexed; else looks after what is there.</summary>
    internal async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        if (models.Live is not { } version || models.Find(version) is not { } manifest) return;
        string name = CollectionOf(manifest);
        if (targets.Live?.Collection.Name == name && await index.FindAsync(name, cancellationToken) is not null)
        {
            await _old.DropAsync([name, _servedBefore ?? name], cancellationToken);
            await _repair.LookWhenDueAsync(cancellationToken);
            return;
        }

        logger.LogInformation("Building {Collection} for model {Version}", name, version);
        var embedder = load(manifest);
        var target = TargetOf(new CollectionInfo(name, embedder.Dimension, embedder.Fingerprint, version), embedder);
        try
        {
            // Superseded: the newer one needs no waking.
            if (!await BuildAndSwitchAsync(target, cancellationToken)) published.Wake();
        }
        finally
        {
            metrics.Rebuilt(0, left: 0);
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
        var build = await CollectionBuild.BeginAsync(target, index, time, cancellationToken);
        var from = await targets.InsideGateAsync(() =>
        {
            targets.SetBuilding(build);
            return Task.FromResult(targets.Positions.ToDictionary());
        }, cancellationToken);

        // Where only the head is new, nothing is encoded and no order is worth looking for.
        bool encodes = targets.Live?.Embedder.Encoder != target.Embedder.Encoder;
        // All that has landed, though the Indexer may not have come so far: revisions decide between it and the events.
        var upTo = from.ToDictionary(partition => partition.Key, partition => Math.Max(partition.Value, windows.NextOffset(Topics.Items, partition.Key)));
        using var catalogue = await CatalogueSnapshot.ReadAsync(windows, log, read, upTo, encodes ? options.Value.InteractionsForOrder : 0, cancellationToken);
        var (version, name) = (target.Collection.Version, target.Collection.Name);
        var pace = new RebuildPace(target.Collection, time);
        long? before = null;
        bool filled = await build.FillAsync(catalogue, from.Values.DefaultIfEmpty(0).Min(), options.Value.RebuildBatch, (done, total) =>
        {
            metrics.Rebuilt(done - (before ?? done), left: total - done);
            before = done;
            var progress = pace.At(done, total);
            // A bus that does not answer must not slow the build down: the next word says more.
            if (_telling.IsCompleted) _telling = TellAsync(progress, cancellationToken);
            return models.Live == version;
        }, cancellationToken);
        if (filled)
        {
            await index.SettleAsync(name, cancellationToken);
            await build.VerifyCanariesAsync(catalogue, cancellationToken);
        }

        IndexTarget? served = null;
        long? generation = !filled ? null : await targets.InsideGateAsync<long?>(async () =>
        {
            if (build.Failure is { } failure) throw new InvalidOperationException($"An event could not be written to {name} while it was built.", failure);
            await build.VerifyCountAsync(catalogue, cancellationToken);
            if (models.Live != version) return null;
            long moved = await index.PointAliasAsync(Alias, name, cancellationToken);
            served = targets.Live;
            targets.SetLive(target);
            targets.SetBuilding(null);
            return moved;
        }, cancellationToken);
        if (generation is null)
        {
            logger.LogInformation("Model {Newer} went live while {Collection} was built; building for that one instead", models.Live, name);
            return false;
        }
        served?.Dispose();
        if (served is not null && served.Collection.Name != name) _servedBefore = served.Collection.Name;
        _old.Look();

        logger.LogInformation("Answers come from {Collection} with {Items} items, model {Version}, generation {Generation}", name, catalogue.Items.Count, version, generation);
        await _telling;
        await TellAsync(new IndexSwitched(version, target.Collection.Fingerprint, name, generation.Value), cancellationToken);
        await _old.DropAsync([name, _servedBefore ?? name], cancellationToken);
        return true;
    }

    private static string CollectionOf(ModelManifest manifest) => $"{Alias}-{manifest.Model.Fingerprint.Short}";

    private IndexTarget TargetOf(CollectionInfo collection, IItemEmbedder embedder) => new(collection, embedder, index, targets.Encoding, metrics, logger);

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
