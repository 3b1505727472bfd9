using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex;

/// <summary>
/// Collections of item vectors, each of one model; cosine similarity; newest revision wins. Every form of it passes the same tests.
/// Where the index is a server: what it does not answer in time, after the attempts that are safe, is an <see cref="IOException"/>.
/// </summary>
public interface IVectorIndex
{
    /// <summary>Creates a collection; the same one twice is fine.</summary>
    /// <exception cref="InvalidOperationException">One of this name has other properties.</exception>
    ValueTask CreateAsync(CollectionInfo collection, CancellationToken cancellationToken);

    /// <returns>Null when there is no such collection.</returns>
    ValueTask<CollectionInfo?> FindAsync(string collection, CancellationToken cancellationToken);

    ValueTask<IReadOnlyList<CollectionInfo>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Inserts or replaces; durable and findable on return. An item whose stored revision is equal or newer stays as it is. Vectors must have the collection's dimension, finite numbers and length above 0; they are stored with length 1.</summary>
    ValueTask UpsertAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken cancellationToken);

    /// <summary>As <see cref="UpsertAsync"/>, for filling a collection: items may be durable and findable only once <see cref="SettleAsync"/> has returned.</summary>
    ValueTask LoadAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken cancellationToken);

    /// <summary>Ends when all that was loaded is durable, findable and answered from at full speed.</summary>
    ValueTask SettleAsync(string collection, CancellationToken cancellationToken);

    /// <summary>Removes items; a later upsert with an older revision does not bring them back. Durable on return.</summary>
    ValueTask DeleteAsync(string collection, IReadOnlyList<(ItemId Id, long Revision)> items, CancellationToken cancellationToken);

    /// <summary>Number of items that pass the filter, hidden ones included.</summary>
    ValueTask<long> CountAsync(string collection, ItemFilter filter, CancellationToken cancellationToken);

    /// <summary>For each query the k available items most similar to it, best first; ties by item id.</summary>
    /// <exception cref="FingerprintMismatchException">A query vector comes from another model than the collection.</exception>
    /// <exception cref="ArgumentOutOfRangeException">k is below 1.</exception>
    /// <exception cref="KeyNotFoundException">There is no such collection.</exception>
    ValueTask<IReadOnlyList<IReadOnlyList<ScoredItem>>> SearchAsync(string collection, IReadOnlyList<SearchQuery> queries, CancellationToken cancellationToken);

    /// <summary>The stored items among <paramref name="ids"/> in their order, with vectors; unknown ids are left out, hidden items are not.</summary>
    ValueTask<IReadOnlyList<IndexedItem>> FetchAsync(string collection, IReadOnlyList<ItemId> ids, CancellationToken cancellationToken);

    /// <summary>All items that pass the filter, hidden ones included, a page at a time in an order of the index's own; start with null, go on with the last id of the page before. An empty page is the end.</summary>
    ValueTask<IReadOnlyList<IndexedItem>> ScrollAsync(string collection, ItemFilter filter, ItemId? after, int limit, CancellationToken cancellationToken);

    /// <summary>As <see cref="ScrollAsync"/> over everything, without what items hold: what there is, and how new.</summary>
    ValueTask<IReadOnlyList<(ItemId Id, long Revision)>> RevisionsAsync(string collection, ItemId? after, int limit, CancellationToken cancellationToken);

    /// <summary>Points the alias to a collection in one atomic, durable step. Returns the alias's new generation: 1 for the first, then one more each time it moves to another collection; unchanged when it already points there.</summary>
    ValueTask<long> PointAliasAsync(string alias, string collection, CancellationToken cancellationToken);

    /// <returns>Null when there is no such alias.</returns>
    ValueTask<AliasTarget?> ResolveAliasAsync(string alias, CancellationToken cancellationToken);

    /// <summary>Names of all aliases.</summary>
    ValueTask<IReadOnlyList<string>> AliasesAsync(CancellationToken cancellationToken);

    /// <summary>Takes an alias away in one atomic, durable step; one that is not there is fine. One that comes back begins at generation 1.</summary>
    ValueTask RemoveAliasAsync(string alias, CancellationToken cancellationToken);

    /// <summary>The caller reads from the collection until it disposes what it gets; until then nobody drops it. A reader that dies without a word keeps it for a few minutes at most.</summary>
    /// <exception cref="KeyNotFoundException">There is no such collection.</exception>
    ValueTask<IAsyncDisposable> HoldAsync(string collection, CancellationToken cancellationToken);

    /// <summary>Deletes a collection; one that is not there is fine.</summary>
    /// <returns>False: an alias points to it, or somebody holds it, and it stays.</returns>
    ValueTask<bool> DropAsync(string collection, CancellationToken cancellationToken);
}

/// <param name="Name"><c>items-</c> and the first 8 digits of the fingerprint.</param>
public sealed record CollectionInfo(string Name, int Dimension, Fingerprint Fingerprint, ModelVersion Version);

public sealed record AliasTarget(string Collection, long Generation);

/// <param name="Revision">Offset of the item event in the log.</param>
public sealed record IndexedItem(ItemId Id, long Revision, float[] Vector, string Title, bool Available, IReadOnlyDictionary<string, JsonElement> Attributes);

/// <param name="Score">Cosine similarity.</param>
public readonly record struct ScoredItem(ItemId Id, float Score, string Title);

/// <summary>A vector that knows which model made it.</summary>
public readonly record struct QueryVector(Fingerprint Fingerprint, ReadOnlyMemory<float> Values);

/// <param name="K">Results wanted, from 1.</param>
/// <param name="Filter">What they must be; hidden (not available) items never pass.</param>
/// <param name="Exact">True: every item that passes the filter is looked at. False: the index may miss some of a large collection, for speed.</param>
public sealed record SearchQuery(QueryVector Vector, int K, ItemFilter Filter, bool Exact = false);

/// <summary>A vector of one model met a collection of another.</summary>
public sealed class FingerprintMismatchException(Fingerprint query, Fingerprint collection)
    : Exception($"The query vector was made by model {query.Short}, the collection holds vectors of {collection.Short}; encode the query with the collection's model.")
{
    public Fingerprint Query { get; } = query;
    public Fingerprint Collection { get; } = collection;
}
