using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Indexer;

/// <summary>A collection together with the one model that may write to it.</summary>
internal sealed class IndexTarget(CollectionInfo collection, IItemEmbedder embedder, IVectorIndex index, ILogger logger) : IDisposable
{
    public CollectionInfo Collection => collection;
    public IItemEmbedder Embedder => embedder;

    /// <summary>Brings the collection up to date with these changes, one an item; durable on return and safe to repeat.</summary>
    public async Task ApplyAsync(IReadOnlyCollection<ItemChange> changes, CancellationToken cancellationToken)
    {
        var described = changes.Where(change => change.Event is not null).ToList();
        if (described.Count > 0)
        {
            var vectors = embedder.EmbedItems([.. described.Select(change => change.Event!)], cancellationToken);
            var items = new List<IndexedItem>(described.Count);
            for (int n = 0; n < described.Count; n++)
            {
                float[] vector = vectors.Row(n).ToArray();
                if (IsDirection(vector))
                    items.Add(Indexed(described[n], vector));
                else
                    logger.LogError("Item {ItemId}: model {Fingerprint} gives no usable vector; the item is not in {Collection}", described[n].Id, embedder.Fingerprint.Short, collection.Name);
            }
            await index.UpsertAsync(collection.Name, items, cancellationToken);
        }

        var deleted = changes.Where(change => change.Event is null).Select(change => (change.Id, change.Offset)).ToList();
        if (deleted.Count > 0) await index.DeleteAsync(collection.Name, deleted, cancellationToken);
    }

    /// <summary>Finite numbers, length above 0.</summary>
    public static bool IsDirection(ReadOnlySpan<float> vector)
    {
        double squares = 0;
        foreach (float value in vector) squares += (double)value * value;
        return double.IsFinite(squares) && squares > 1e-12;
    }

    private static IndexedItem Indexed(ItemChange change, float[] vector)
    {
        ItemEvent item = change.Event!;
        return new IndexedItem(change.Id, change.Offset, vector, item.Title, item.Available, item.Attributes);
    }

    public void Dispose() => embedder.Dispose();
}
