using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>Answers from one pair; what is hidden is in none of them, not even as a reason.</summary>
internal sealed class Recommender(
    IVectorIndex index, IProfiles profiles, PopularityCounter popularity, IOptions<UserVectorOptions> weights, TimeProvider time, ILogger<Recommender> logger)
{
    private const int MostFetched = 1000;

    /// <summary>What a user's taste is read from: weighted items, newest first, all that counts as seen, and <see cref="OwnHistory"/>.</summary>
    internal sealed record Taste(IReadOnlyList<(ItemId Item, double Weight)> Items, IReadOnlySet<ItemId> Seen, IReadOnlyList<(ItemId Item, double Strength)> Own);

    /// <summary>Where the profiles cannot be reached, the user is one of whom nothing is known: a shop goes on with popular items.</summary>
    public async Task<Taste> TasteOfAsync(UserId user, RankingOptions ranking, CancellationToken cancellationToken)
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
            OwnHistory.Of(history, weights.Value.HalfLife, ranking.Rest, now));
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
        PairLease pair, Taste taste, RankingOptions ranking, int k, ItemFilter filter, IReadOnlySet<ItemId> excluded, bool explain, CancellationToken cancellationToken)
    {
        filter = filter.Without(excluded);
        // What can no longer be had still tells of the user's taste.
        var history = taste.Items.Count == 0 ? [] : await index.FetchAsync(pair.Collection, [.. taste.Items.Select(item => item.Item)], cancellationToken);
        var vectors = history.ToDictionary(item => item.Id, item => item.Vector);
        var user = UserVector.Sum(taste.Items, item => vectors.TryGetValue(item, out var vector) ? vector : (ReadOnlyMemory<float>?)null);
        if (user is null) return (await PopularAsync(pair, k, filter, cancellationToken), true);

        var found = ranking.ModelAlone ? await SearchAsync(pair, user, k, filter, cancellationToken) : await BlendAsync(pair, user, taste.Own, ranking, k, filter, excluded, cancellationToken);
        return (explain ? await ExplainAsync(pair, found, history, cancellationToken) : found, false);
    }

    public async Task<IReadOnlyList<RankedItem>> SearchAsync(PairLease pair, ReadOnlyMemory<float> query, int k, ItemFilter filter, CancellationToken cancellationToken)
    {
        var found = await index.SearchAsync(pair.Collection, new QueryVector(pair.Identity.Fingerprint, query), k, pair.Shown(filter), cancellationToken);
        // Looked at again: an item may have been deleted while the search ran.
        return [.. found.Where(item => !pair.Hides(item.Id)).Select(item => new RankedItem(item.Id.Value, item.Title, item.Score, null))];
    }

    /// <summary>Ranks the items nearest to the user, the most popular and the user's own by their <see cref="Blend"/>.</summary>
    private async Task<IReadOnlyList<RankedItem>> BlendAsync(
        PairLease pair, float[] user, IReadOnlyList<(ItemId Item, double Strength)> own, RankingOptions parts, int k, ItemFilter filter, IReadOnlySet<ItemId> excluded, CancellationToken cancellationToken)
    {
        var candidates = (await SearchAsync(pair, user, Math.Max(k, parts.Candidates), filter, cancellationToken))
            .ToDictionary(item => new ItemId(item.ItemId), item => (Cosine: item.Score, item.Title));

        bool MayEnter(ItemId item) => !excluded.Contains(item) && !pair.Hides(item);
        var others = new HashSet<ItemId>();
        if (parts.Popularity > 0) others.UnionWith(popularity.Top(parts.Candidates, MayEnter).Select(item => item.Item));
        if (parts.History > 0) others.UnionWith(own.Select(item => item.Item).Where(MayEnter));
        others.ExceptWith(candidates.Keys);
        foreach (var item in await ShownAsync(pair, [.. others], cancellationToken))
            if (filter.Admits(item)) candidates[item.Id] = (Dot(user, item.Vector), item.Title);

        var popular = popularity.Shares(candidates.Keys);
        var strengths = own.ToDictionary(item => item.Item, item => item.Strength);
        // Looked at again: an item may have been deleted while the others were fetched.
        return [.. candidates.Where(item => !pair.Hides(item.Key))
            .Select(item => (item.Key, item.Value.Title, Score: Blend.Score(item.Value.Cosine, popular[item.Key], strengths.GetValueOrDefault(item.Key), parts)))
            .OrderByDescending(item => item.Score).ThenBy(item => item.Key).Take(k)
            .Select(item => new RankedItem(item.Key.Value, item.Title, item.Score, null))];
    }

    /// <summary>The item with its vector; null when it is unknown, deleted or hidden.</summary>
    public async Task<IndexedItem?> FindAsync(PairLease pair, ItemId id, CancellationToken cancellationToken) => await ShownAsync(pair, [id], cancellationToken) is [var item] ? item : null;

    /// <summary>Those of the items that an answer may name, with vectors: neither unknown nor deleted nor hidden. Whatever names items that were asked for goes through here.</summary>
    public async Task<IReadOnlyList<IndexedItem>> ShownAsync(PairLease pair, IReadOnlyList<ItemId> ids, CancellationToken cancellationToken) =>
        ids.Count == 0 ? [] : [.. (await index.FetchAsync(pair.Collection, ids, cancellationToken)).Where(item => item.Available && !pair.Hides(item.Id))];

    private async Task<IReadOnlyList<RankedItem>> PopularAsync(PairLease pair, int k, ItemFilter filter, CancellationToken cancellationToken)
    {
        var popular = new List<RankedItem>(k);
        // Ever longer lists until k of them pass the filter, which the index alone can tell. Counting goes on meanwhile and may change the order: what was looked at once is passed over.
        var looked = new HashSet<ItemId>();
        bool scrolled = false;
        for (int wanted = 2 * k; ; wanted *= 4)
        {
            var ranking = popularity.Top(wanted, item => !pair.Hides(item));
            // In parts: where the filter admits little, the whole ranking is gone through, and vectors come along.
            foreach (var fresh in ranking.Where(item => looked.Add(item.Item)).Chunk(MostFetched))
            {
                var shown = (await ShownAsync(pair, [.. fresh.Select(item => item.Item)], cancellationToken)).ToDictionary(item => item.Id);
                foreach (var (item, score) in fresh)
                    if (shown.TryGetValue(item, out var indexed) && filter.Admits(indexed))
                        popular.Add(new RankedItem(item.Value, indexed.Title, score, null));
                if (popular.Count >= k) return popular[..k];
            }
            if (ranking.Count < wanted) return popular;
            // So many looked at and still too few: the filter is narrow. Where it admits little, that is looked at instead.
            if (looked.Count < MostFetched || scrolled) continue;
            scrolled = true;
            var admitted = await index.ScrollAsync(pair.Collection, pair.Shown(filter), null, MostFetched, cancellationToken);
            if (admitted.Count < MostFetched) return PopularOf(pair, admitted, k);
        }
    }

    private List<RankedItem> PopularOf(PairLease pair, IReadOnlyList<IndexedItem> items, int k)
    {
        var shares = popularity.Shares([.. items.Select(item => item.Id)]);
        double most = popularity.Top(1) is [var best] ? best.Score : 0;
        return [.. items.Where(item => item.Available && shares[item.Id] > 0 && !pair.Hides(item.Id))
            .OrderByDescending(item => shares[item.Id]).ThenBy(item => item.Id).Take(k)
            .Select(item => new RankedItem(item.Id.Value, item.Title, shares[item.Id] * most, null))];
    }

    /// <summary>Names beside each result the item of the history nearest to it that can still be had.</summary>
    private async Task<IReadOnlyList<RankedItem>> ExplainAsync(PairLease pair, IReadOnlyList<RankedItem> found, IReadOnlyList<IndexedItem> history, CancellationToken cancellationToken)
    {
        var vectors = (await ShownAsync(pair, [.. found.Select(item => new ItemId(item.ItemId))], cancellationToken)).ToDictionary(item => item.Id.Value, item => item.Vector);
        var reasons = history.Where(item => item.Available && !pair.Hides(item.Id)).ToList();
        return [.. found.Where(item => !pair.Hides(new ItemId(item.ItemId))).Select(item =>
        {
            if (reasons.Count == 0 || !vectors.TryGetValue(item.ItemId, out var vector)) return item;
            var nearest = reasons
                .Select(reason => (reason.Id, Similarity: Dot(reason.Vector, vector)))
                .OrderByDescending(reason => reason.Similarity).ThenBy(reason => reason.Id).First();
            return item with { Because = new Because(nearest.Id.Value, nearest.Similarity) };
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
