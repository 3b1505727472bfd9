using System.Diagnostics;
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
/// Keeps alias <see cref="Alias"/> at the collection of the live model, and <c>items.&lt;version&gt;</c> at that of each pinned one: compares the two at start, when <see cref="EncoderPublished"/> arrives and at intervals; builds and
/// switches where they differ. Until the switch the old pair serves; a failed build changes nothing and is tried again, ever later. Where they agree, what the index lost is repaired (<see cref="IndexRepair"/>).
/// </summary>
internal sealed class IndexReconciliation(
    IEventLog log, IWindowStore windows, IModelStore models, PatientIndex index, IndexTargets targets, LoadItemEmbedder load, ReadItemEvent read, IReadOnlyList<ModelVersion> pinned,
    PublishControlMessage publish, WakeSignal published, IOptions<IndexerOptions> options, TimeProvider time, IndexerMetrics metrics, ILogger<IndexReconciliation> logger) : BackgroundService
{
    public const string Alias = "items";
    /// <summary>A model that cannot be built stays so; a store or an index that was away is there again at any moment.</summary>
    private static readonly TimeSpan LongestDelayOfServers = TimeSpan.FromSeconds(30);

    /// <summary>The live model's first: the others wait for it.</summary>
    private readonly Lane[] _lanes = [.. ((ModelVersion?[])[null, .. pinned]).Select(version =>
    {
        string alias = version is null ? Alias : $"{Alias}.{version}";
        return new Lane(alias, () => version ?? models.Live, new IndexRepair(alias, index, targets, windows, log, read, options.Value, time, metrics, logger), time);
    })];
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
                // As soon as another model is live, that is for the first lane.
                bool settled = await ReconcileAsync(_lanes[0], stoppingToken);
                for (int n = 1; settled && n < _lanes.Length; n++) settled = await ReconcilePinnedAsync(_lanes[n], stoppingToken);
                delay = options.Value.CheckInterval;
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogError(failure, "The index of the live model could not be built; what serves now goes on, next attempt in {DelaySeconds:0.0} s", delay.TotalSeconds);
                await published.WaitAsync(delay, time, stoppingToken);
                TimeSpan longest = failure is IOException && options.Value.LongestRebuildDelay > LongestDelayOfServers ? LongestDelayOfServers : options.Value.LongestRebuildDelay;
                delay = delay * 2 < longest ? delay * 2 : longest;
                continue;
            }
            await published.WaitAsync(options.Value.CheckInterval, time, stoppingToken);
        }
    }

    /// <summary>Takes up what serves since before the start, so that events flow while a newer model's collection is built.</summary>
    internal async Task OpenAsync(CancellationToken cancellationToken)
    {
        await targets.RestorePositionsAsync(log, cancellationToken);
        if (models.Previous is { } previous && Find(previous) is { } served) _servedBefore = CollectionOf(served);
        // Before events flow: whoever reads by an alias may trust that they reach its collection.
        foreach (string unpinned in (await index.AliasesAsync(cancellationToken)).Where(alias => alias.StartsWith(Alias + ".", StringComparison.Ordinal) && _lanes.All(lane => lane.Alias != alias)))
            await index.RemoveAliasAsync(unpinned, cancellationToken);
        foreach (var lane in _lanes[1..])
            if (!await TakeUpAsync(lane.Alias, cancellationToken)) await index.RemoveAliasAsync(lane.Alias, cancellationToken);
        await TakeUpAsync(Alias, cancellationToken);
    }

    /// <returns>False: there is nothing that events could be written to.</returns>
    private async Task<bool> TakeUpAsync(string name, CancellationToken cancellationToken)
    {
        if (await index.ResolveAliasAsync(name, cancellationToken) is not { } alias) return false;
        if (await index.FindAsync(alias.Collection, cancellationToken) is not { } collection || Find(collection.Version) is not { } manifest)
        {
            logger.LogWarning("Alias {Alias} points at {Collection}, whose model is not in the model store; it gets no more events until the collection of the model that is wanted is built", name, alias.Collection);
            return false;
        }
        try
        {
            targets.Serve(name, TargetOf(collection, load(manifest)));
            return true;
        }
        catch (InvalidDataException failure)
        {
            logger.LogError(failure, "Model {Version} of {Collection} does not load; the collection gets no more events until that of the model that is wanted is built", collection.Version, collection.Name);
            return false;
        }
    }

    /// <summary>A pinned model that cannot be served is tried again, ever later, and is in nobody's way.</summary>
    /// <returns>False: another model went live meanwhile.</returns>
    private async Task<bool> ReconcilePinnedAsync(Lane lane, CancellationToken cancellationToken)
    {
        if (!lane.IsDue) return true;
        try
        {
            bool settled = await ReconcileAsync(lane, cancellationToken);
            lane.Succeeded();
            return settled;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            var delay = lane.Failed(options.Value.CheckInterval, options.Value.LongestRebuildDelay);
            logger.LogError(failure, "The index of pinned model {Version} could not be built; next attempt in {DelaySeconds:0.0} s", lane.Wanted, delay.TotalSeconds);
            return true;
        }
    }

    /// <summary>Builds and switches when another model is wanted than the one indexed; else looks after what is there.</summary>
    /// <returns>False: another model went live meanwhile.</returns>
    private async Task<bool> ReconcileAsync(Lane lane, CancellationToken cancellationToken)
    {
        if (lane.Wanted is not { } version || models.Find(version) is not { } manifest) return true;
        string name = CollectionOf(manifest);
        if (targets.Served(lane.Alias)?.Collection.Name == name && await index.FindAsync(name, cancellationToken) is not null)
        {
            await lane.Repair.KeepAliasAsync(cancellationToken);
            await _old.DropAsync(Kept(), cancellationToken);
            await lane.Repair.LookWhenDueAsync(cancellationToken);
            return true;
        }

        using var activity = IndexerTracing.Source.StartActivity("build collection", ActivityKind.Consumer, published.TakeTrace())?.SetTag("beeformer.collection", name).SetTag("beeformer.model", version.ToString());
        logger.LogInformation("Building {Collection} for model {Version}", name, version);
        var embedder = load(manifest);
        var target = TargetOf(new CollectionInfo(name, embedder.Dimension, embedder.Fingerprint, version), embedder);
        try
        {
            // Superseded: the newer one needs no waking.
            if (await BuildAndSwitchAsync(lane, target, cancellationToken)) return true;
            published.Wake();
            return false;
        }
        finally
        {
            metrics.Rebuilt(0, left: 0);
            if (targets.Served(lane.Alias) != target)
            {
                await targets.InsideGateAsync(() => { targets.SetBuilding(null); return Task.FromResult(true); }, CancellationToken.None);
                target.Dispose();
            }
        }
    }

    /// <returns>False: another model went live meanwhile, and that comes first.</returns>
    private async Task<bool> BuildAndSwitchAsync(Lane lane, IndexTarget target, CancellationToken cancellationToken)
    {
        var live = models.Live;
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
            return models.Live == live && lane.Wanted == version;
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
            if (lane.Wanted != version) return null;
            long moved = await index.PointAliasAsync(lane.Alias, name, cancellationToken);
            served = targets.Served(lane.Alias);
            targets.Serve(lane.Alias, target);
            targets.SetBuilding(null);
            return moved;
        }, cancellationToken);
        if (generation is null)
        {
            logger.LogInformation("Model {Newer} went live while {Collection} was built; building for that one instead", models.Live, name);
            return false;
        }
        served?.Dispose();
        if (lane == _lanes[0] && served is not null && served.Collection.Name != name) _servedBefore = served.Collection.Name;
        _old.Look();

        logger.LogInformation("Answers by alias {Alias} come from {Collection} with {Items} items, model {Version}, generation {Generation}", lane.Alias, name, catalogue.Items.Count, version, generation);
        await _telling;
        await TellAsync(new IndexSwitched(version, target.Collection.Fingerprint, name, generation.Value), cancellationToken);
        await _old.DropAsync(Kept(), cancellationToken);
        return true;
    }

    /// <summary>Of a pinned model also what is only begun: the live one may come between again and again.</summary>
    private HashSet<string> Kept() => [.. targets.Collections, .. pinned.Select(version => $"{Alias}-{version.Value.Split('-')[^1]}"), .. _servedBefore is null ? (string[])[] : [_servedBefore]];

    private ModelManifest? Find(ModelVersion version)
    {
        try
        {
            return models.Find(version);
        }
        catch (InvalidDataException damage)
        {
            logger.LogError(damage, "Model {Version} is damaged", version);
            return null;
        }
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
