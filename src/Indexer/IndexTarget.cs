using System.Collections.Concurrent;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Indexer;

/// <summary>A collection together with the one model that may write to it.</summary>
internal sealed class IndexTarget(CollectionInfo collection, IItemEmbedder embedder, IVectorIndex index, EncodingTurn turn, IndexerMetrics metrics, ILogger logger) : IDisposable
{
    private readonly ConcurrentDictionary<ItemId, long> _unusable = [];
    private int _disposed;

    public CollectionInfo Collection => collection;
    public IItemEmbedder Embedder => embedder;

    /// <summary>Items that are not in the collection because the model gives no usable vector for them, with that revision.</summary>
    public IReadOnlyDictionary<ItemId, long> Unusable => _unusable;

    /// <summary>Brings the collection up to date with these changes, one an item; durable and findable on return, and safe to repeat.</summary>
    public async Task ApplyAsync(IReadOnlyCollection<ItemChange> changes, CancellationToken cancellationToken)
    {
        var encoded = await EncodeAsync(changes, cancellationToken);
        if (encoded.Items.Count > 0) await index.UpsertAsync(collection.Name, encoded.Items, cancellationToken);
        if (encoded.Gone.Count > 0) await index.DeleteAsync(collection.Name, encoded.Gone, cancellationToken);
    }

    /// <summary>As <see cref="ApplyAsync"/> for what was encoded before; durable and findable once the collection has settled.</summary>
    public async Task LoadAsync(EncodedChanges encoded, CancellationToken cancellationToken)
    {
        if (encoded.Items.Count > 0) await index.LoadAsync(collection.Name, encoded.Items, cancellationToken);
        if (encoded.Gone.Count > 0) await index.DeleteAsync(collection.Name, encoded.Gone, cancellationToken);
    }

    public async Task<EncodedChanges> EncodeAsync(IReadOnlyCollection<ItemChange> changes, CancellationToken cancellationToken)
    {
        var gone = changes.Where(change => change.Event is null).Select(change => (change.Id, change.Offset)).ToList();
        foreach (var (id, _) in gone) _unusable.TryRemove(id, out _);
        var described = changes.Where(change => change.Event is not null).ToArray();
        if (described.Length == 0) return new EncodedChanges([], gone);

        var vectors = await turn.TakeAsync(() => Vectors(described, cancellationToken), cancellationToken);
        var items = new List<IndexedItem>(described.Length);
        for (int n = 0; n < described.Length; n++)
        {
            var (id, revision, item, _) = described[n];
            if (vectors[n] is { } vector && IsDirection(vector))
            {
                _unusable.TryRemove(id, out _);
                items.Add(new IndexedItem(id, revision, vector, item!.Title, item.Available, item.Attributes));
                continue;
            }
            // What was there describes the item as it is no longer.
            gone.Add((id, revision));
            _unusable[id] = revision;
            metrics.ItemFailed();
            logger.LogError("Item {ItemId}: model {Fingerprint} gives no usable vector; the item is not in {Collection}", id, embedder.Fingerprint.Short, collection.Name);
        }
        return new EncodedChanges(items, gone);
    }

    /// <returns>Null for an item that the model refuses; it does not spoil the others of its batch.</returns>
    private float[]?[] Vectors(ReadOnlySpan<ItemChange> described, CancellationToken cancellationToken)
    {
        try
        {
            var items = new ItemEvent[described.Length];
            for (int n = 0; n < items.Length; n++) items[n] = described[n].Event!;
            return embedder.EmbedItems(items, cancellationToken);
        }
        catch (ArgumentException) when (described.Length > 1)
        {
            int half = described.Length / 2;
            return [.. Vectors(described[..half], cancellationToken), .. Vectors(described[half..], cancellationToken)];
        }
        catch (ArgumentException)
        {
            return [null];
        }
    }

    /// <summary>Finite numbers, length above 0.</summary>
    public static bool IsDirection(ReadOnlySpan<float> vector)
    {
        double squares = 0;
        foreach (float value in vector) squares += (double)value * value;
        return double.IsFinite(squares) && squares > 1e-12;
    }

    /// <summary>Nobody shall read by this alias any more.</summary>
    public async Task WithdrawAsync(string alias, Exception failure, CancellationToken cancellationToken)
    {
        await index.RemoveAliasAsync(alias, cancellationToken);
        logger.LogError(failure, "An event could not be written to {Collection}; alias {Alias} is gone until the collection is built anew", collection.Name, alias);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) embedder.Dispose();
    }
}

/// <param name="Gone">Deleted items, and those without a usable vector.</param>
internal sealed record EncodedChanges(IReadOnlyList<IndexedItem> Items, IReadOnlyList<(ItemId Id, long Revision)> Gone);
