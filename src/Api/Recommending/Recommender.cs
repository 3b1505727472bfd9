using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>Answers from one pair; what is hidden is in none of them.</summary>
internal sealed class Recommender(
    IVectorIndex index, IProfiles profiles, HiddenItems hidden, PopularityCounter popularity, IOptions<UserVectorOptions> weights, IOptions<RankingOptions> ranking, TimeProvider time, ILogger<Recommender> logger)
{
    /// <summary>What a user's taste is read from: weighted items, newest first, all that counts as seen, and <see cref="OwnHistory"/>.</summary>
    internal sealed record Taste(IReadOnlyList<(ItemId Item, double Weight)> Items, IReadOnlySet<ItemId> Seen, IReadOnlyList<(ItemId Item, double Strength)> Own);

    /// <summary>Where the profiles cannot be reached, the user is one of whom nothing is known: a shop goes on with popular items.</summary>
    public async Task<Taste> TasteOfAsync(UserId user, CancellationToken cancellationToken)
    {
        IReadOnlyList<ProfileInteraction> history = [];
        try
        {
            history = await profiles.GetAsync(user, cancellationToken);
        }
        catch (IOException failure)
        {
            logger.LogWarning(failure, "The profile of a user cannot be read; the answer is that for an unknown user");
        }
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return new Taste(UserVector.Weights(history, weights.Value, now), history.Select(interaction => interaction.Item).ToHashSet(),
            OwnHistory.Of(history, weights.Value.HalfLife, ranking.Value.Rest, now));
    }

    /// <summary>A history without types and times: all items weigh the same, and none rests.</summary>
    public static Taste TasteOf(IEnumerable<ItemId> history)
    {
        var items = history.ToHashSet();
        var weighted = items.Select(item => (item, 1.0)).ToList();
        return new Taste(weighted, items, weighted);
    }

    /// <returns>Where the taste says nothing, or the index holds none of its items: popular items, and <c>Popular</c> is true.</returns>
    public async Task<(IReadOnlyList<RankedItem> Items, bool Popular)> RecommendAsync(
        PairLease pair, Taste taste, int k, ItemFilter filter, IReadOnlySet<ItemId> excluded, bool explain, CancellationToken cancellationToken)
    {
        filter = filter.Without(excluded);
        var vectors = (await index.FetchAsync(pair.Collection, [.. taste.Items.Select(item => item.Item)], cancellationToken))
            .ToDictionary(item => item.Id, item => item.Vector);
        var user = UserVector.Sum(taste.Items, item => vectors.TryGetValue(item, out var vector) ? vector : null);
        if (user is null) return (await PopularAsync(pair, k, filter, cancellationToken), true);

        var found = ranking.Value.ModelAlone ? await SearchAsync(pair, user, k, filter, cancellationToken) : await BlendAsync(pair, user, taste.Own, k, filter, excluded, cancellationToken);
        return (explain ? await ExplainAsync(pair, found, vectors, cancellationToken) : found, false);
    }

    public async Task<IReadOnlyList<RankedItem>> SearchAsync(PairLease pair, ReadOnlyMemory<float> query, int k, ItemFilter filter, CancellationToken cancellationToken)
    {
        var hiddenNow = hidden.Current;
        filter = filter.Without(hiddenNow);
        var found = await index.SearchAsync(pair.Collection, new QueryVector(pair.Identity.Fingerprint, query), k, filter, cancellationToken);
        // Looked at again: an item may have been deleted while the search ran.
        var hiddenSince = hidden.Current;
        return [.. found.Where(item => !hiddenSince.Contains(item.Id)).Select(item => new RankedItem(item.Id.Value, item.Title, item.Score, null))];
    }

    /// <summary>Ranks the items nearest to the user, the most popular and the user's own by their <see cref="Blend"/>.</summary>
    private async Task<IReadOnlyList<RankedItem>> BlendAsync(
        PairLease pair, float[] user, IReadOnlyList<(ItemId Item, double Strength)> own, int k, ItemFilter filter, IReadOnlySet<ItemId> excluded, CancellationToken cancellationToken)
    {
        var parts = ranking.Value;
        var candidates = (await SearchAsync(pair, user, Math.Max(k, parts.Candidates), filter, cancellationToken))
            .ToDictionary(item => new ItemId(item.ItemId), item => (Cosine: item.Score, item.Title));

        var hiddenNow = hidden.Current;
        bool MayEnter(ItemId item) => !excluded.Contains(item) && !hiddenNow.Contains(item);
        var others = new HashSet<ItemId>();
        if (parts.Popularity > 0) others.UnionWith(popularity.Top(parts.Candidates, MayEnter).Select(item => item.Item));
        if (parts.History > 0) others.UnionWith(own.Select(item => item.Item).Where(MayEnter));
        others.ExceptWith(candidates.Keys);
        foreach (var item in await index.FetchAsync(pair.Collection, [.. others], cancellationToken))
            if (item.Available && filter.Admits(item)) candidates[item.Id] = (Dot(user, item.Vector), item.Title);

        var popular = popularity.Shares(candidates.Keys);
        var strengths = own.ToDictionary(item => item.Item, item => item.Strength);
        // Looked at again: an item may have been deleted while the others were fetched.
        var hiddenSince = hidden.Current;
        return [.. candidates.Where(item => !hiddenSince.Contains(item.Key))
            .Select(item => (item.Key, item.Value.Title, Score: Blend.Score(item.Value.Cosine, popular[item.Key], strengths.GetValueOrDefault(item.Key), parts)))
            .OrderByDescending(item => item.Score).ThenBy(item => item.Key).Take(k)
            .Select(item => new RankedItem(item.Key.Value, item.Title, item.Score, null))];
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
                if (popular.Count < k && described.TryGetValue(item, out var indexed) && indexed.Available && filter.Admits(indexed) && !hiddenNow.Contains(item))
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
