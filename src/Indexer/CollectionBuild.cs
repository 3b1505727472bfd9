using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Indexer;

/// <summary>
/// One model's collection on its way into service. Events follow into it from its beginning (<see cref="TryFollowAsync"/>, inside the gate), while <see cref="FillAsync"/>
/// brings the catalogue, outside. Revisions decide between the two, so their order does not matter. A collection that a crash or a rollback left behind is
/// taken up: what it holds in the right revision is not encoded again.
/// </summary>
internal sealed class CollectionBuild(IndexTarget target, IVectorIndex index, IReadOnlyDictionary<ItemId, long> held, TimeProvider time)
{
    private const int Canaries = 8;
    private const double CanarySimilarity = 0.999;

    /// <summary>Items encoded first, before it is known how long they take.</summary>
    private const int FirstSlice = 32;
    /// <summary>How long encoding a slice may take, about: an event waits for it.</summary>
    private static readonly TimeSpan s_slice = TimeSpan.FromSeconds(0.2);

    private readonly Dictionary<ItemId, (long Revision, bool Exists)> _followed = [];

    /// <summary>Why an event could not follow: the build has a hole and must not go into service.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Creates the collection, or takes up the one that is there.</summary>
    public static async Task<CollectionBuild> BeginAsync(IndexTarget target, IVectorIndex index, TimeProvider time, CancellationToken cancellationToken)
    {
        var wanted = target.Collection;
        var found = await index.FindAsync(wanted.Name, cancellationToken);
        if (found is null)
        {
            await index.CreateAsync(wanted, cancellationToken);
            return new CollectionBuild(target, index, new Dictionary<ItemId, long>(), time);
        }
        if (found.Fingerprint != wanted.Fingerprint || found.Dimension != wanted.Dimension)
            throw new InvalidDataException(
                $"Collection {wanted.Name} holds vectors of model {found.Fingerprint} with {found.Dimension} dimensions, expected {wanted.Fingerprint} with {wanted.Dimension}; drop it to let it be built anew.");
        return new CollectionBuild(target, index, await CollectionDifference.HeldAsync(index, wanted.Name, cancellationToken), time);
    }

    /// <summary>Events that arrive during the build. Inside the gate. False: the build has failed; the collection in service goes on without it.</summary>
    public async Task<bool> TryFollowAsync(IReadOnlyCollection<ItemChange> changes, CancellationToken cancellationToken)
    {
        try
        {
            await target.ApplyAsync(changes, cancellationToken);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Failure = failure;
            return false;
        }
        foreach (var change in changes)
            if (!_followed.TryGetValue(change.Id, out var known) || known.Revision < change.Offset)
                _followed[change.Id] = (change.Offset, change.Event is not null);
        return true;
    }

    /// <summary>Encodes what the catalogue has and the collection has not, and removes what the catalogue no longer has. While one slice is written, the next is encoded.</summary>
    /// <param name="followedFrom">Events from this revision on follow by themselves. Where the catalogue knows such a deletion already, the event before it must not bring the item back.</param>
    /// <param name="batchSize">Most items encoded and written at once; fewer where encoding takes long.</param>
    /// <param name="advance">Told done and total before the first and after every slice; false stops the build.</param>
    /// <returns>False when stopped.</returns>
    public async Task<bool> FillAsync(CatalogueSnapshot catalogue, long followedFrom, int batchSize, Func<long, long, bool> advance, CancellationToken cancellationToken)
    {
        var (missing, gone) = CollectionDifference.Of(catalogue, held);
        gone = [.. gone, .. catalogue.DeletedSince(followedFrom)];
        if (gone.Count > 0) await index.DeleteAsync(target.Collection.Name, gone, cancellationToken);
        long total = catalogue.Items.Count, done = total - missing.Count;
        if (!advance(done, total)) return false;

        int size = Math.Min(FirstSlice, batchSize);
        var loading = Task.FromResult(0);
        try
        {
            foreach (var batch in missing.Chunk(batchSize))
            {
                // Like lengths together: little is padded.
                Array.Sort(batch, (left, right) => catalogue.LengthOf(left).CompareTo(catalogue.LengthOf(right)));
                for (int first = 0; first < batch.Length;)
                {
                    var slice = batch[first..Math.Min(batch.Length, first + size)];
                    first += slice.Length;
                    long began = time.GetTimestamp();
                    var encoded = await target.EncodeAsync(catalogue.Read(slice), cancellationToken);
                    var took = time.GetElapsedTime(began);
                    size = took > s_slice ? Math.Max(Math.Min(8, batchSize), size / 2) : took < s_slice / 2 ? Math.Min(batchSize, size * 2) : size;

                    if (!await LoadedAsync()) return false;
                    // An index in this process works on the thread that calls it.
                    loading = Task.Run(() => LoadAsync(encoded, slice.Length), CancellationToken.None);
                }
            }
            return await LoadedAsync();
        }
        finally
        {
            await ((Task)loading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task<int> LoadAsync(EncodedChanges encoded, int items)
        {
            await target.LoadAsync(encoded, cancellationToken);
            return items;
        }

        async Task<bool> LoadedAsync()
        {
            int items = await loading;
            loading = Task.FromResult(0);
            return items == 0 || advance(done += items, total);
        }
    }

    /// <summary>Fetches a few items and encodes them afresh: index and model must agree.</summary>
    /// <exception cref="InvalidDataException">They do not; the message names the item.</exception>
    public async Task VerifyCanariesAsync(CatalogueSnapshot catalogue, CancellationToken cancellationToken)
    {
        if (catalogue.Items.Count > 0 && target.Unusable.Count * 2 > catalogue.Items.Count)
            throw new InvalidDataException($"Model {target.Embedder.Fingerprint.Short} gives no usable vector for {target.Unusable.Count} of {catalogue.Items.Count} items, expected at most half of them.");
        int step = Math.Max(1, catalogue.Items.Count / Canaries);
        var canaries = catalogue.Read([.. catalogue.Items.Where((_, n) => n % step == 0).Take(Canaries)]).ToDictionary(item => item.Id);
        if (canaries.Count == 0) return;

        var stored = await index.FetchAsync(target.Collection.Name, [.. canaries.Keys], cancellationToken);
        var unchanged = stored.Where(item => canaries[item.Id].Offset == item.Revision).ToList();
        if (unchanged.Count == 0) return;
        var fresh = (await target.EncodeAsync([.. unchanged.Select(item => canaries[item.Id])], cancellationToken)).Items.ToDictionary(item => item.Id, item => item.Vector);
        foreach (var item in unchanged)
        {
            double similarity = fresh.TryGetValue(item.Id, out float[]? vector) ? Cosine(item.Vector, vector) : double.NaN;
            if (!(similarity >= CanarySimilarity))
                throw new InvalidDataException(
                    $"Collection {target.Collection.Name}, item {item.Id}: the stored vector has cosine {similarity:0.0000} to a fresh one of model {target.Embedder.Fingerprint.Short}, expected at least {CanarySimilarity}.");
        }
    }

    /// <summary>The collection holds as many items as the catalogue and the events since say, but for those without a usable vector. Inside the gate.</summary>
    public async Task VerifyCountAsync(CatalogueSnapshot catalogue, CancellationToken cancellationToken)
    {
        (long Revision, bool Exists)? Now(ItemId id) =>
            _followed.TryGetValue(id, out var followed) && !(catalogue.Find(id)?.Revision >= followed.Revision) ? followed : catalogue.Find(id);

        long expected = catalogue.Items.Count;
        foreach (var id in _followed.Keys)
            expected += (Now(id)!.Value.Exists ? 1 : 0) - (catalogue.Find(id) is { Exists: true } ? 1 : 0);
        expected -= target.Unusable.Count(item => Now(item.Key) is { Exists: true } now && now.Revision == item.Value);
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
