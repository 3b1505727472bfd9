using System.Collections.Concurrent;
using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.Logging;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>The vector index on a Qdrant server.</summary>
public sealed class QdrantVectorIndex : IVectorIndex, IDisposable
{
    private const int FetchBatch = 500;
    private const int MaxPage = 1000, MaxRevisionsPage = 10_000;
    /// <summary>While loading, every so many-th request waits until it is applied: the server's queue stays short.</summary>
    private const int LoadsPerWait = 16;
    private static readonly WithPayloadSelector Everything = new() { Enable = true };
    private static readonly WithPayloadSelector Revisions = new() { Include = new PayloadIncludeSelector { Fields = { ItemPoints.ItemId, ItemPoints.Revision } } };

    private readonly QdrantOptions options;
    private readonly QdrantCalls calls;
    private readonly QdrantCollections collections;
    private readonly QdrantAliases aliases;
    private readonly Readers readers;
    private readonly Searching searching;
    private readonly Settling settling;
    private readonly ConcurrentDictionary<string, CollectionInfo> known = new(StringComparer.Ordinal); // a collection's properties never change
    private int loads;

    public QdrantVectorIndex(QdrantOptions options, TimeProvider time, ILogger<QdrantVectorIndex> logger)
    {
        this.options = options;
        calls = new QdrantCalls(options, time, logger);
        collections = new QdrantCollections(calls, options);
        aliases = new QdrantAliases(calls, collections, options);
        readers = new Readers(collections, aliases, time, logger);
        searching = new Searching(calls, options);
        settling = new Settling(calls, collections, options, time);
    }

    public async ValueTask CreateAsync(CollectionInfo collection, CancellationToken cancellationToken) => await collections.CreateAsync(collection, cancellationToken).ConfigureAwait(false);

    public async ValueTask<CollectionInfo?> FindAsync(string collection, CancellationToken cancellationToken)
    {
        var info = await collections.FindAsync(collection, cancellationToken).ConfigureAwait(false);
        if (info is null) known.TryRemove(collection, out _);
        else known[collection] = info;
        return info;
    }

    public async ValueTask<IReadOnlyList<CollectionInfo>> ListAsync(CancellationToken cancellationToken) => await collections.ListAsync(cancellationToken).ConfigureAwait(false);

    public ValueTask UpsertAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken cancellationToken) => UpsertAsync(collection, items, () => true, cancellationToken);

    public ValueTask LoadAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken cancellationToken) =>
        UpsertAsync(collection, items, () => Interlocked.Increment(ref loads) % LoadsPerWait == 0, cancellationToken);

    public ValueTask SettleAsync(string collection, CancellationToken cancellationToken) => InAsync(collection, _ => settling.SettleAsync(collection, cancellationToken), cancellationToken);

    public ValueTask DeleteAsync(string collection, IReadOnlyList<(ItemId Id, long Revision)> items, CancellationToken cancellationToken) =>
        InAsync(collection, _ => WriteAsync(collection, NewestWins.OneEach(items.Select(item => ItemPoints.Tombstone(item.Id, item.Revision))), deletions: true, () => true, cancellationToken), cancellationToken);

    public ValueTask<long> CountAsync(string collection, ItemFilter filter, CancellationToken cancellationToken) => InAsync(collection, async _ =>
    {
        var count = new CountPoints { CollectionName = collections.Full(collection), Filter = ItemConditions.Stored(filter), Exact = true, Timeout = calls.ReadSeconds };
        return (long)(await calls.ReadAsync("Points/Count", collection, call => calls.Points.CountAsync(count, call), cancellationToken).ConfigureAwait(false)).Result.Count;
    }, cancellationToken);

    public ValueTask<IReadOnlyList<IReadOnlyList<ScoredItem>>> SearchAsync(string collection, IReadOnlyList<SearchQuery> queries, CancellationToken cancellationToken) =>
        SearchMetrics.TimedAsync("qdrant", queries.Count, () => InAsync(collection, info => searching.SearchAsync(info, collections.Full(collection), queries, cancellationToken), cancellationToken));

    public ValueTask<IReadOnlyList<IndexedItem>> FetchAsync(string collection, IReadOnlyList<ItemId> ids, CancellationToken cancellationToken) => InAsync(collection, async _ =>
    {
        var items = new List<IndexedItem>(ids.Count);
        foreach (var chunk in ids.Distinct().Chunk(FetchBatch))
        {
            var get = new GetPoints { CollectionName = collections.Full(collection), WithPayload = Everything, WithVectors = new WithVectorsSelector { Enable = true }, Timeout = calls.ReadSeconds };
            get.Ids.AddRange(PointIds.Of(chunk));
            var answer = await calls.ReadAsync("Points/Get", collection, call => calls.Points.GetAsync(get, call), cancellationToken).ConfigureAwait(false);
            items.AddRange(answer.Result.Where(point => !ItemPoints.IsTombstone(point)).Select(ItemPoints.Item));
        }
        return (IReadOnlyList<IndexedItem>)items;
    }, cancellationToken);

    public async ValueTask<IReadOnlyList<IndexedItem>> ScrollAsync(string collection, ItemFilter filter, ItemId? after, int limit, CancellationToken cancellationToken)
    {
        var page = await PageAsync(collection, filter, after, Math.Min(limit, MaxPage), Everything, vectors: true, cancellationToken).ConfigureAwait(false);
        return [.. page.Select(ItemPoints.Item)];
    }

    public async ValueTask<IReadOnlyList<(ItemId Id, long Revision)>> RevisionsAsync(string collection, ItemId? after, int limit, CancellationToken cancellationToken)
    {
        var page = await PageAsync(collection, ItemFilter.None, after, Math.Min(limit, MaxRevisionsPage), Revisions, vectors: false, cancellationToken).ConfigureAwait(false);
        return [.. page.Select(point => (ItemPoints.IdOf(point.Payload, point.Id), ItemPoints.RevisionOf(point)))];
    }

    public ValueTask<long> PointAliasAsync(string alias, string collection, CancellationToken cancellationToken) => InAsync(collection, _ => aliases.PointAsync(alias, collection, cancellationToken), cancellationToken);

    public async ValueTask<AliasTarget?> ResolveAliasAsync(string alias, CancellationToken cancellationToken) => await aliases.ResolveAsync(alias, cancellationToken).ConfigureAwait(false);

    public async ValueTask<IReadOnlyList<string>> AliasesAsync(CancellationToken cancellationToken) => await aliases.NamesAsync(cancellationToken).ConfigureAwait(false);

    public async ValueTask RemoveAliasAsync(string alias, CancellationToken cancellationToken) => await aliases.RemoveAsync(alias, cancellationToken).ConfigureAwait(false);

    public ValueTask<IAsyncDisposable> HoldAsync(string collection, CancellationToken cancellationToken) => InAsync(collection, _ => readers.HoldAsync(collection, cancellationToken), cancellationToken);

    public async ValueTask<bool> DropAsync(string collection, CancellationToken cancellationToken)
    {
        bool dropped = await readers.DropAsync(collection, cancellationToken).ConfigureAwait(false);
        if (dropped) known.TryRemove(collection, out _);
        return dropped;
    }

    public void Dispose() => calls.Dispose();

    private ValueTask UpsertAsync(string collection, IReadOnlyList<IndexedItem> items, Func<bool> wait, CancellationToken cancellationToken) => InAsync(collection,
        info => WriteAsync(collection, NewestWins.OneEach(items.Select(item => ItemPoints.Of(item, info.Dimension))), deletions: false, wait, cancellationToken), cancellationToken);

    private Task WriteAsync(string collection, List<PointStruct> points, bool deletions, Func<bool> wait, CancellationToken cancellationToken)
    {
        var inFlight = new ParallelOptions { MaxDegreeOfParallelism = options.InFlight, CancellationToken = cancellationToken };
        return Parallel.ForEachAsync(points.Chunk(options.UpsertBatch), inFlight, async (chunk, token) =>
        {
            bool applied = wait();
            var upsert = new UpsertPoints { CollectionName = collections.Full(collection), Wait = applied, UpdateFilter = NewestWins.Condition(chunk, deletions), Timeout = calls.WriteSeconds };
            upsert.Points.AddRange(chunk);
            await calls.ApplyAsync("Points/Upsert", collection, applied, call => calls.Points.UpsertAsync(upsert, call), token).ConfigureAwait(false);
        });
    }

    /// <summary>One more than wanted: the offset is the first of the page, if it is there at all.</summary>
    private ValueTask<IEnumerable<RetrievedPoint>> PageAsync(string collection, ItemFilter filter, ItemId? after, int limit, WithPayloadSelector payload, bool vectors, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return InAsync(collection, async _ =>
        {
            var scroll = new ScrollPoints
            {
                CollectionName = collections.Full(collection), Filter = ItemConditions.Stored(filter), Limit = (uint)limit + 1,
                WithPayload = payload, WithVectors = new WithVectorsSelector { Enable = vectors }, Timeout = calls.ReadSeconds,
            };
            if (after is { } last) scroll.Offset = PointIds.Of(last);
            var points = (await calls.ReadAsync("Points/Scroll", collection, call => calls.Points.ScrollAsync(scroll, call), cancellationToken).ConfigureAwait(false)).Result;
            return points.Where(point => !point.Id.Equals(scroll.Offset)).Take(limit);
        }, cancellationToken);
    }

    private async ValueTask InAsync(string collection, Func<CollectionInfo, Task> work, CancellationToken cancellationToken) =>
        await InAsync(collection, async info => { await work(info).ConfigureAwait(false); return true; }, cancellationToken).ConfigureAwait(false);

    /// <exception cref="KeyNotFoundException">There is no such collection.</exception>
    private async ValueTask<T> InAsync<T>(string collection, Func<CollectionInfo, Task<T>> work, CancellationToken cancellationToken)
    {
        if (!known.TryGetValue(collection, out var info))
            info = await FindAsync(collection, cancellationToken).ConfigureAwait(false) ?? throw new KeyNotFoundException($"There is no collection {collection} in Qdrant at {options.Endpoint}.");
        try
        {
            return await work(info).ConfigureAwait(false);
        }
        catch (KeyNotFoundException)
        {
            known.TryRemove(collection, out _);
            throw;
        }
    }
}
