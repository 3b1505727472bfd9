using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Indexer;

/// <summary>What has to be done to a collection to make it the catalogue. Where the collection knows more than the catalogue's moment, it is right.</summary>
/// <param name="Missing">Items that it lacks or holds in an older revision, in the catalogue's order.</param>
/// <param name="Gone">Items that it holds though they were deleted, with the revision that deletes them.</param>
internal sealed record CollectionDifference(IReadOnlyList<ItemId> Missing, IReadOnlyList<(ItemId Id, long Revision)> Gone)
{
    private const int Page = 10_000;

    public static CollectionDifference Of(CatalogueSnapshot catalogue, IReadOnlyDictionary<ItemId, long> held)
    {
        var gone = new List<(ItemId, long)>();
        foreach (var (id, revision) in held)
        {
            var known = catalogue.Find(id);
            if (known is { Exists: false } deleted && revision < deleted.Revision) gone.Add((id, deleted.Revision));
            // Nobody ever described it: it comes from another log. One above its revision can never hide what this log says of it later.
            if (known is null && revision < catalogue.Complete) gone.Add((id, revision + 1));
        }
        return new CollectionDifference([.. catalogue.Items.Where(id => !held.TryGetValue(id, out long revision) || revision < catalogue.Find(id)!.Value.Revision)], gone);
    }

    /// <summary>Every item of a collection with its revision: about 100 bytes each.</summary>
    public static async Task<Dictionary<ItemId, long>> HeldAsync(IVectorIndex index, string collection, CancellationToken cancellationToken)
    {
        var held = new Dictionary<ItemId, long>();
        ItemId? after = null;
        while (true)
        {
            var page = await index.RevisionsAsync(collection, after, Page, cancellationToken);
            foreach (var (id, revision) in page) held[id] = revision;
            if (page.Count == 0) return held;
            after = page[^1].Id;
        }
    }
}
