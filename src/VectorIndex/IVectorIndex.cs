using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex;

/// <summary>Collections of item vectors, each of one model; cosine similarity; newest revision wins.</summary>
public interface IVectorIndex
{
    ValueTask CreateAsync(CollectionInfo collection, CancellationToken cancellationToken);

    /// <returns>Null when there is no such collection.</returns>
    ValueTask<CollectionInfo?> FindAsync(string collection, CancellationToken cancellationToken);

    ValueTask<IReadOnlyList<CollectionInfo>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Inserts or replaces, durable on return. An item whose stored revision is equal or newer stays as it is. Vectors must have the collection's dimension, finite numbers and length above 0; they are stored with length 1.</summary>
    ValueTask UpsertAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken cancellationToken);

    /// <summary>Removes items; a later upsert with an older revision does not bring them back.</summary>
    ValueTask DeleteAsync(string collection, IReadOnlyList<(ItemId Id, long Revision)> items, CancellationToken cancellationToken);

    /// <summary>Number of items, hidden ones included.</summary>
    ValueTask<long> CountAsync(string collection, CancellationToken cancellationToken);

    /// <summary>The k available items most similar to the query, best first; ties by item id.</summary>
    /// <exception cref="FingerprintMismatchException">The query vector comes from another model than the collection.</exception>
    ValueTask<IReadOnlyList<ScoredItem>> SearchAsync(string collection, QueryVector query, int k, ItemFilter filter, CancellationToken cancellationToken);

    /// <summary>The stored items among <paramref name="ids"/>, with vectors; unknown ids are left out, hidden ones are not.</summary>
    ValueTask<IReadOnlyList<IndexedItem>> FetchAsync(string collection, IReadOnlyList<ItemId> ids, CancellationToken cancellationToken);

    /// <summary>All items ordered by id, a page at a time; start with null, go on with the last id of the page before.</summary>
    ValueTask<IReadOnlyList<IndexedItem>> ScrollAsync(string collection, ItemId? after, int limit, CancellationToken cancellationToken);

    /// <summary>Points the alias to a collection in one atomic, durable step. Returns the alias's new generation: 1 for the first, then one more each time it moves to another collection; unchanged when it already points there.</summary>
    ValueTask<long> PointAliasAsync(string alias, string collection, CancellationToken cancellationToken);

    /// <returns>Null when there is no such alias.</returns>
    ValueTask<AliasTarget?> ResolveAliasAsync(string alias, CancellationToken cancellationToken);

    /// <summary>Deletes a collection. Refused (<see cref="InvalidOperationException"/>) while an alias points to it.</summary>
    ValueTask DropAsync(string collection, CancellationToken cancellationToken);
}

/// <param name="Name"><c>items-</c> and the first 8 digits of the fingerprint.</param>
public sealed record CollectionInfo(string Name, int Dimension, Fingerprint Fingerprint, ModelVersion Version);

public sealed record AliasTarget(string Collection, long Generation);

/// <param name="Revision">Offset of the item event in the log.</param>
public sealed record IndexedItem(ItemId Id, long Revision, float[] Vector, string Title, bool Available, IReadOnlyDictionary<string, JsonElement> Attributes);

public readonly record struct ScoredItem(ItemId Id, float Score, string Title);

/// <summary>A vector that knows which model made it.</summary>
public readonly record struct QueryVector(Fingerprint Fingerprint, ReadOnlyMemory<float> Values);

/// <summary>What an answer may contain. Hidden (not available) items never pass.</summary>
public sealed record ItemFilter
{
    public static ItemFilter None { get; } = new();
    public IReadOnlySet<ItemId> Exclude { get; init; } = new HashSet<ItemId>();
    /// <summary>Every named attribute must equal one of the values (compared as text; for array attributes, contain one).</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Attributes { get; init; } = new Dictionary<string, IReadOnlyList<string>>();
}

/// <summary>A vector of one model met a collection of another.</summary>
public sealed class FingerprintMismatchException(Fingerprint query, Fingerprint collection)
    : Exception($"The query vector was made by model {query.Short}, the collection holds vectors of {collection.Short}; encode the query with the collection's model.")
{
    public Fingerprint Query { get; } = query;
    public Fingerprint Collection { get; } = collection;
}
