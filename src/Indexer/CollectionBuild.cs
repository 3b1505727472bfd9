using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Indexer;

/// <summary>
/// One model's collection on its way into service. Events follow into it from its beginning (<see cref="TryFollowAsync"/>, inside the gate), while <see cref="FillAsync"/>
/// brings the catalogue, outside. Revisions decide between the two, so their order does not matter. A collection that a crash or a rollback left behind is
/// taken up: what it holds in the right revision is not encoded again.
/// </summary>
internal sealed class CollectionBuild(IndexTarget target, IVectorIndex index, IReadOnlyDictionary<ItemId, long> held)
{
    private const int Canaries = 8;
    private const double CanarySimilarity = 0.999;

    private readonly Dictionary<ItemId, (long Revision, bool Exists)> _followed = [];
    private Dictionary<ItemId, long> _catalogue = [];

    /// <summary>Why an event could not follow: the build has a hole and must not go into service.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Creates the collection, or takes up the one that is there.</summary>
    public static async Task<CollectionBuild> BeginAsync(IndexTarget target, IVectorIndex index, CancellationToken cancellationToken)
    {
        var wanted = target.Collection;
        var held = new Dictionary<ItemId, long>();
        var found = await index.FindAsync(wanted.Name, cancellationToken);
        if (found is null)
        {
            await index.CreateAsync(wanted, cancellationToken);
            return new CollectionBuild(target, index, held);
        }
        if (found.Fingerprint != wanted.Fingerprint || found.Dimension != wanted.Dimension)
            throw new InvalidDataException(
                $"Collection {wanted.Name} holds vectors of model {found.Fingerprint} with {found.Dimension} dimensions, expected {wanted.Fingerprint} with {wanted.Dimension}; drop it to let it be built anew.");

        ItemId? after = null;
        while (true)
        {
            var page = await index.RevisionsAsync(wanted.Name, after, 1000, cancellationToken);
            foreach (var (id, revision) in page) held[id] = revision;
            if (page.Count == 0) return new CollectionBuild(target, index, held);
            after = page[^1].Id;
        }
    }

    /// <summary>Events that arrive during the build. Inside the gate. False: the build has failed; the collection in service goes on without it.</summary>
    public async Task<bool> TryFollowAsync(IReadOnlyCollection<ItemChange> changes, CancellationToken cancellationToken)
    {
        try
        {
            await target.ApplyAsync(changes, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            Failure = failure;
            return false;
        }
        foreach (var change in changes)
            if (!_followed.TryGetValue(change.Id, out var known) || known.Revision < change.Offset)
                _followed[change.Id] = (change.Offset, change.Event is not null);
        return true;
    }

    /// <summary>Encodes what the catalogue has and the collection has not, and removes what the catalogue no longer has.</summary>
    /// <param name="advance">Told done and total before the first and after every batch; false stops the build.</param>
    /// <returns>False when stopped.</returns>
    public async Task<bool> FillAsync(IReadOnlyList<ItemChange> catalogue, int batchSize, Func<long, long, Task<bool>> advance, CancellationToken cancellationToken)
    {
        _catalogue = catalogue.ToDictionary(item => item.Id, item => item.Offset);

        // A deletion that went by unseen lies after the revision held; one above it can never hide a later return of the item.
        var gone = held.Where(item => !_catalogue.ContainsKey(item.Key)).Select(item => (item.Key, item.Value + 1)).ToList();
        if (gone.Count > 0) await index.DeleteAsync(target.Collection.Name, gone, cancellationToken);

        var missing = catalogue.Where(item => !held.TryGetValue(item.Id, out long revision) || revision < item.Offset).ToList();
        long done = catalogue.Count - missing.Count;
        if (!await advance(done, catalogue.Count)) return false;
        foreach (var batch in missing.Chunk(batchSize))
        {
            await target.ApplyAsync(batch, cancellationToken);
            done += batch.Length;
            if (!await advance(done, catalogue.Count)) return false;
        }
        return true;
    }

    /// <summary>Fetches a few items and encodes them afresh: index and model must agree.</summary>
    /// <exception cref="InvalidDataException">They do not; the message names the item.</exception>
    public async Task VerifyCanariesAsync(IReadOnlyList<ItemChange> catalogue, CancellationToken cancellationToken)
    {
        int step = Math.Max(1, catalogue.Count / Canaries);
        var canaries = catalogue.Where((_, n) => n % step == 0).Take(Canaries).ToDictionary(item => item.Id);
        if (canaries.Count == 0) return;

        var stored = await index.FetchAsync(target.Collection.Name, [.. canaries.Keys], cancellationToken);
        var unchanged = stored.Where(item => canaries[item.Id].Offset == item.Revision).ToList();
        if (unchanged.Count == 0) return;
        var fresh = target.Embedder.EmbedItems([.. unchanged.Select(item => canaries[item.Id].Event!)], cancellationToken);
        for (int n = 0; n < unchanged.Count; n++)
        {
            double similarity = Cosine(unchanged[n].Vector, fresh.Row(n));
            if (!(similarity >= CanarySimilarity))
                throw new InvalidDataException(
                    $"Collection {target.Collection.Name}, item {unchanged[n].Id}: the stored vector has cosine {similarity:0.0000} to a fresh one of model {target.Embedder.Fingerprint.Short}, expected at least {CanarySimilarity}.");
        }
    }

    /// <summary>The collection holds as many items as the catalogue and the events since say. Inside the gate.</summary>
    public async Task VerifyCountAsync(CancellationToken cancellationToken)
    {
        long expected = _catalogue.Count;
        foreach (var (id, followed) in _followed)
        {
            bool known = _catalogue.TryGetValue(id, out long revision);
            if (known && revision >= followed.Revision) continue;
            if (known != followed.Exists) expected += followed.Exists ? 1 : -1;
        }
        long counted = await index.CountAsync(target.Collection.Name, ItemFilter.None, cancellationToken);
        if (counted != expected)
            throw new InvalidDataException($"Collection {target.Collection.Name} holds {counted} items, expected {expected}.");
    }

    private static double Cosine(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        if (left.Length != right.Length) return double.NaN;
        double dot = 0, squaresLeft = 0, squaresRight = 0;
        for (int n = 0; n < left.Length; n++)
        {
            dot += (double)left[n] * right[n];
            squaresLeft += (double)left[n] * left[n];
            squaresRight += (double)right[n] * right[n];
        }
        return dot / Math.Sqrt(squaresLeft * squaresRight);
    }
}
