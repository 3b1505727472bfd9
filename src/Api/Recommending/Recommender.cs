using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>Answers from one pair; what is hidden is in none of them.</summary>
internal sealed class Recommender(
    IVectorIndex index, IProfiles profiles, HiddenItems hidden, PopularityCounter popularity, IOptions<UserVectorOptions> weights, TimeProvider time)
{
    /// <summary>What a user's taste is read from: weighted items, newest first, and all that counts as seen.</summary>
    internal sealed record Taste(IReadOnlyList<(ItemId Item, double Weight)> Items, IReadOnlySet<ItemId> Seen);

    public async Task<Taste> TasteOfAsync(UserId user, CancellationToken cancellationToken)
    {
        var history = await profiles.GetAsync(user, cancellationToken);
        return new Taste(UserVector.Weights(history, weights.Value, time.GetUtcNow().ToUnixTimeMilliseconds()), history.Select(interaction => interaction.Item).ToHashSet());
    }

    /// <summary>A history without types and times: all items weigh the same.</summary>
    public static Taste TasteOf(IEnumerable<ItemId> history)
    {
        var items = history.ToHashSet();
        return new Taste([.. items.Select(item => (item, 1.0))], items);
    }

    /// <returns>Where the taste says nothing, or the index holds none of its items: popular items, and <c>Popular</c> is true.</returns>
    public async Task<(IReadOnlyList<RankedItem> Items, bool Popular)> RecommendAsync(
        PairLease pair, Taste taste, int k, ItemFilter filter, bool explain, CancellationToken cancellationToken)
    {
        var vectors = (await index.FetchAsync(pair.Collection, [.. taste.Items.Select(item => item.Item)], cancellationToken))
            .ToDictionary(item => item.Id, item => item.Vector);
        var user = UserVector.Sum(taste.Items, item => vectors.TryGetValue(item, out var vector) ? vector : null);
        if (user is null) return (await PopularAsync(pair, k, filter, cancellationToken), true);

        var found = await SearchAsync(pair, user, k, filter, cancellationToken);
        return (explain ? await ExplainAsync(pair, found, vectors, cancellationToken) : found, false);
    }

    public async Task<IReadOnlyList<RankedItem>> SearchAsync(PairLease pair, ReadOnlyMemory<float> query, int k, ItemFilter filter, CancellationToken cancellationToken)
    {
        var hiddenNow = hidden.Current;
        if (hiddenNow.Count > 0) filter = filter with { Exclude = filter.Exclude.Union(hiddenNow).ToHashSet() };
        var found = await index.SearchAsync(pair.Collection, new QueryVector(pair.Identity.Fingerprint, query), k, filter, cancellationToken);
        // Looked at again: an item may have been deleted while the search ran.
        var hiddenSince = hidden.Current;
        return [.. found.Where(item => !hiddenSince.Contains(item.Id)).Select(item => new RankedItem(item.Id.Value, item.Title, item.Score, null))];
    }

    /// <summary>The item with its vector; null when it is unknown, deleted or hidden.</summary>
    public async Task<IndexedItem?> FindAsync(PairLease pair, ItemId id, CancellationToken cancellationToken)
    {
        var found = await index.FetchAsync(pair.Collection, [id], cancellationToken);
        return found.Count == 1 && found[0].Available && !hidden.Current.Contains(id) ? found[0] : null;
    }

    private async Task<IReadOnlyList<RankedItem>> PopularAsync(PairLease pair, int k, ItemFilter filter, CancellationToken cancellationToken)
    {
        var popular = new List<RankedItem>(k);
        // Ever longer lists until k of them pass the filter, which the index alone can tell. Counting goes on meanwhile and may change the order: what was looked at once is passed over.
        var looked = new HashSet<ItemId>();
        for (int wanted = 2 * k; ; wanted *= 4)
        {
            var hiddenNow = hidden.Current;
            var ranking = popularity.Top(wanted);
            var fresh = ranking.Where(item => looked.Add(item.Item)).ToList();
            var described = (await index.FetchAsync(pair.Collection, [.. fresh.Select(item => item.Item)], cancellationToken)).ToDictionary(item => item.Id);
            foreach (var (item, score) in fresh)
                if (popular.Count < k && described.TryGetValue(item, out var indexed) && filter.Admits(indexed) && !hiddenNow.Contains(item))
                    popular.Add(new RankedItem(item.Value, indexed.Title, score, null));
            if (popular.Count == k || ranking.Count < wanted) return popular;
        }
    }

    /// <summary>Names beside each result the item of the history nearest to it.</summary>
    private async Task<IReadOnlyList<RankedItem>> ExplainAsync(PairLease pair, IReadOnlyList<RankedItem> found, Dictionary<ItemId, float[]> history, CancellationToken cancellationToken)
    {
        var vectors = (await index.FetchAsync(pair.Collection, [.. found.Select(item => new ItemId(item.ItemId))], cancellationToken)).ToDictionary(item => item.Id.Value, item => item.Vector);
        return [.. found.Select(item =>
        {
            if (!vectors.TryGetValue(item.ItemId, out var vector)) return item;
            var nearest = history
                .Select(seen => (seen.Key, Similarity: Dot(seen.Value, vector)))
                .OrderByDescending(seen => seen.Similarity).ThenBy(seen => seen.Key).First();
            return item with { Because = new Because(nearest.Key.Value, nearest.Similarity) };
        })];
    }

    /// <summary>The cosine, since the index stores vectors with length 1.</summary>
    private static double Dot(float[] left, float[] right)
    {
        double sum = 0;
        for (int n = 0; n < left.Length; n++) sum += (double)left[n] * right[n];
        return sum;
    }
}
