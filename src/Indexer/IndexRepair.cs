using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Indexer;

/// <summary>
/// Compares the collection that an alias names with the catalogue, at start and at intervals, and applies again what the index lost: writes that it acknowledged and forgot, a collection from an old backup.
/// A look counts; it compares revisions where the count differs, at start and at every sixth look. What it applies is harmless where it was not needed, since revisions decide.
/// </summary>
internal sealed class IndexRepair(
    string alias, IVectorIndex index, IndexTargets targets, IWindowStore windows, IEventLog log, ReadItemEvent read, IndexerOptions options, TimeProvider time, IndexerMetrics metrics, ILogger logger)
{
    private const int ThoroughEvery = 6;

    private Dictionary<int, long>? _logAtStart;
    private long _lastLook = time.GetTimestamp();
    private int _looks;

    /// <summary>The alias may have been taken away: by an index from an old backup, or by an Indexer that lost its lease in the middle of a switch.</summary>
    public async Task KeepAliasAsync(CancellationToken cancellationToken)
    {
        if (targets.Served(alias) is { } live && (await index.ResolveAliasAsync(alias, cancellationToken))?.Collection != live.Collection.Name)
            await targets.InsideGateAsync(() => PointAliasAsync(live, cancellationToken), cancellationToken);
    }

    public async Task LookWhenDueAsync(CancellationToken cancellationToken)
    {
        bool due = time.GetElapsedTime(_lastLook) >= options.ReconcileEvery;
        if (!due && (_looks > 0 || !await CaughtUpAsync(cancellationToken))) return;
        try
        {
            await LookAsync(thorough: _looks % ThoroughEvery == 0, cancellationToken);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            logger.LogWarning(failure, "The index could not be compared with the catalogue; next attempt in {Seconds:0} s", options.ReconcileEvery.TotalSeconds);
        }
        _looks++;
        _lastLook = time.GetTimestamp();
    }

    /// <summary>Events that the log held at start are in: until then the index may know more than the positions say.</summary>
    private async Task<bool> CaughtUpAsync(CancellationToken cancellationToken)
    {
        if (_logAtStart is null)
        {
            var ends = new Dictionary<int, long>();
            for (int partition = 0; partition < await log.PartitionsAsync(Topics.Items, cancellationToken); partition++)
                ends[partition] = await log.EndOffsetAsync(Topics.Items, partition, cancellationToken);
            _logAtStart = ends;
        }
        return await targets.InsideGateAsync(() => Task.FromResult(_logAtStart.All(end => targets.Positions.GetValueOrDefault(end.Key) >= end.Value)), cancellationToken);
    }

    private async Task<bool> CountsAgreeAsync(IndexTarget live, CancellationToken cancellationToken)
    {
        // One moment of log and index: no event is on its way between the two.
        var (upTo, counted) = await targets.InsideGateAsync(async () =>
            (targets.Positions.ToDictionary(), await index.CountAsync(live.Collection.Name, ItemFilter.None, cancellationToken)), cancellationToken);
        return counted == await CatalogueSnapshot.CountAsync(windows, log, read, upTo, cancellationToken) - live.Unusable.Count;
    }

    /// <summary>Inside the gate, where nobody takes the alias away.</summary>
    /// <returns>False: events are no longer written to the collection.</returns>
    private async Task<bool> PointAliasAsync(IndexTarget live, CancellationToken cancellationToken)
    {
        if (targets.Served(alias) != live) return false;
        if ((await index.ResolveAliasAsync(alias, cancellationToken))?.Collection == live.Collection.Name) return true;
        await index.PointAliasAsync(alias, live.Collection.Name, cancellationToken);
        logger.LogWarning("Alias {Alias} did not point at {Collection}, which is in service; it does again", alias, live.Collection.Name);
        return true;
    }

    /// <returns>Items that were applied again or removed.</returns>
    internal async Task<int> LookAsync(bool thorough, CancellationToken cancellationToken)
    {
        if (targets.Served(alias) is not { } live || !await targets.InsideGateAsync(() => PointAliasAsync(live, cancellationToken), cancellationToken)) return 0;
        if (!thorough && await CountsAgreeAsync(live, cancellationToken)) return 0;

        var upTo = await targets.InsideGateAsync(() =>
        {
            targets.Watch();
            return Task.FromResult(targets.Positions.ToDictionary());
        }, cancellationToken);
        using var catalogue = await CatalogueSnapshot.ReadAsync(windows, log, read, upTo, interactionsForOrder: 0, cancellationToken);
        var (missing, gone) = CollectionDifference.Of(catalogue, await CollectionDifference.HeldAsync(index, live.Collection.Name, cancellationToken));
        var touched = await targets.InsideGateAsync(() => Task.FromResult(targets.Touched()), cancellationToken);
        bool IsUnusable(ItemId id) => live.Unusable.TryGetValue(id, out long revision) && revision == catalogue.Find(id)?.Revision;

        ItemId[] lost = [.. missing.Where(id => !touched.Contains(id) && !IsUnusable(id))];
        gone = [.. gone.Where(item => !touched.Contains(item.Id))];
        if (lost.Length + gone.Count == 0) return 0;
        foreach (var batch in lost.Chunk(options.MaxBatch)) await live.ApplyAsync(catalogue.Read(batch), cancellationToken);
        if (gone.Count > 0) await index.DeleteAsync(live.Collection.Name, gone, cancellationToken);

        int again = lost.Count(id => !IsUnusable(id));
        if (again + gone.Count == 0) return 0;
        metrics.Repaired(again + gone.Count);
        logger.LogWarning("{Collection} lacked {Lost} items or their newest revision and held {Gone} deleted ones; they were applied again", live.Collection.Name, again, gone.Count);
        return again + gone.Count;
    }
}
