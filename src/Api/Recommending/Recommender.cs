using System.Numerics.Tensors;
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

    /// <summary>Where caps leave places empty, so many are looked at: enough for the last page.</summary>
    private const int Deepest = Page.MaxDepth + 1;

    /// <summary>What a user's taste is read from: weighted items, newest first, all that counts as seen, and <see cref="OwnHistory"/>.</summary>
    /// <param name="Who">The user, or the history that stands for one: whose turns of <see cref="Exploration"/> these are.</param>
    internal sealed record Taste(IReadOnlyList<(ItemId Item, double Weight)> Items, IReadOnlySet<ItemId> Seen, IReadOnlyList<(ItemId Item, double Strength)> Own, string Who);

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
            OwnHistory.Of(history, weights.Value.HalfLife, ranking.Rest, now), user.Value);
    }

    /// <summary>A history without types and times: what came later weighs more, and nothing rests.</summary>
    /// <param name="newestLast">A doubled item counts where it comes last.</param>
    public Taste TasteOf(IReadOnlyList<ItemId> newestLast)
    {
        ItemId[] newestFirst = [.. newestLast.Reverse().Distinct()];
        return new Taste(UserVector.ByOrder(newestFirst, weights.Value), newestFirst.ToHashSet(), [.. newestFirst.Select(item => (item, 1.0))], string.Join('\n', newestFirst));
    }

    /// <returns>Where the taste says nothing, or the index holds none of its items: popular items, and <c>Popular</c> is true.</returns>
    public async Task<(IReadOnlyList<RankedItem> Items, bool Popular)> RecommendAsync(
        PairLease pair, Taste taste, RankingOptions ranking, Places places, ItemFilter filter, IReadOnlySet<ItemId> excluded, bool explain, CancellationToken cancellationToken)
    {
        filter = filter.Without(excluded);
        // What can no longer be had still tells of the user's taste.
        var history = taste.Items.Count == 0 ? [] : await index.FetchAsync(pair.Collection, [.. taste.Items.Select(item => item.Item)], cancellationToken);
        var vectors = history.ToDictionary(item => item.Id, item => item.Vector);
        var user = UserVector.Sum(taste.Items, item => vectors.TryGetValue(item, out var vector) ? vector : (ReadOnlyMemory<float>?)null);

        var found = user is null
            ? await ListAsync(depth => NominatePopularAsync(pair, ranking, depth, filter, explain, cancellationToken), ranking.Arranges, ranking, places, explain)
            : await ListAsync(depth => NominateAsync(pair, user, taste, ranking, depth, filter, excluded, explain, cancellationToken), ranking.Arranges || ranking.Exploration > 0 || !ranking.ModelAlone, ranking, places, explain);
        if (explain && user is not null) found = await ExplainAsync(pair, found, history, cancellationToken);
        // Looked at again: an item may have been deleted while others were fetched.
        return ([.. found.Where(nominee => !pair.Hides(nominee.Id)).Select(nominee => nominee.Item)], user is null);
    }

    public async Task<IReadOnlyList<RankedItem>> SearchAsync(PairLease pair, ReadOnlyMemory<float> query, int k, ItemFilter filter, CancellationToken cancellationToken)
    {
        var found = await index.SearchAsync(pair.Collection, new QueryVector(pair.Identity.Fingerprint, query), k, pair.Shown(filter), cancellationToken);
        // Looked at again: an item may have been deleted while the search ran.
        return [.. found.Where(item => !pair.Hides(item.Id)).Select(item => new RankedItem(item.Id.Value, item.Title, item.Score, null))];
    }

    /// <summary>The items nearest to the user, and, where they pass the filter, those that are brought: in one pass over the index, which sends no vectors for it.</summary>
    private async Task<(IReadOnlyList<RankedItem> Nearest, IReadOnlyList<RankedItem> Brought)> SearchAsync(
        PairLease pair, float[] user, int depth, ItemFilter filter, HashSet<ItemId> brought, CancellationToken cancellationToken)
    {
        var query = new QueryVector(pair.Identity.Fingerprint, user);
        filter = pair.Shown(filter);
        var nearest = new SearchQuery(query, depth, filter);
        var found = await index.SearchAsync(pair.Collection, brought.Count == 0 ? [nearest] : [nearest, new SearchQuery(query, brought.Count, new ItemFilter { Must = [filter, new HasId(brought)] }, Exact: true)], cancellationToken);
        return (Shown(found[0]), brought.Count == 0 ? [] : Shown(found[1]));

        // Looked at again: an item may have been deleted while the search ran.
        IReadOnlyList<RankedItem> Shown(IReadOnlyList<ScoredItem> items) => [.. items.Where(item => !pair.Hides(item.Id)).Select(item => new RankedItem(item.Id.Value, item.Title, item.Score, null))];
    }

    /// <param name="nominate">So many of the nearest or most popular items, with what else may be named, and whether there are no more.</param>
    /// <param name="widely">A place may go to an item that lies further back than the list is long.</param>
    private static async Task<List<Nominee>> ListAsync(
        Func<int, Task<(IReadOnlyList<Nominee> Nominees, bool All)>> nominate, bool widely, RankingOptions ranking, Places places, bool explain)
    {
        for (int depth = widely ? Math.Max(places.End, ranking.Candidates) : places.End; ; depth = Deepest)
        {
            var (nominees, all) = await nominate(depth);
            var list = Nominee.Arrange(nominees, ranking, places, explain);
            if (list.Count == places.Count || ranking.MaxPer.Count == 0 || all || depth >= Deepest) return list;
        }
    }

    /// <summary>The items nearest to the user, the most popular and the user's own, scored by their <see cref="Blend"/>.</summary>
    private async Task<(IReadOnlyList<Nominee> Nominees, bool All)> NominateAsync(
        PairLease pair, float[] user, Taste taste, RankingOptions ranking, int depth, ItemFilter filter, IReadOnlySet<ItemId> excluded, bool explain, CancellationToken cancellationToken)
    {
        bool MayEnter(ItemId item) => !excluded.Contains(item) && !pair.Hides(item);
        var brought = new HashSet<ItemId>();
        if (ranking.Popularity > 0) brought.UnionWith(popularity.Top(ranking.Candidates, MayEnter).Select(item => item.Item));
        if (ranking.History > 0) brought.UnionWith(taste.Own.Select(item => item.Item).Where(MayEnter));

        bool whole = ranking.Arranges || ranking.KnowsRecency; // a search tells neither vectors nor attributes
        var (nearest, told) = await SearchAsync(pair, user, depth, filter, whole ? [] : brought, cancellationToken);
        ItemId[] near = [.. nearest.Select(item => new ItemId(item.ItemId))];
        ItemId[] others = whole ? [.. brought.Except(near)] : [.. told.Select(item => new ItemId(item.ItemId)).Except(near)];
        var stored = (whole ? await ShownAsync(pair, [.. near, .. others], cancellationToken) : []).ToDictionary(item => item.Id);
        var titles = told.ToDictionary(item => new ItemId(item.ItemId));

        var shares = popularity.Shares([.. near, .. others]);
        var strengths = taste.Own.ToDictionary(item => item.Item, item => item.Strength);
        var turns = Turns(near, taste.Who, ranking);
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();

        var nominees = new List<Nominee>(near.Length + others.Length);
        for (int n = 0; n < near.Length; n++)
            if (!whole || stored.ContainsKey(near[n])) Add(near[n], nearest[n].Title, nearest[n].Score, n < ranking.Candidates || brought.Contains(near[n]) ? 0 : n);
        foreach (var id in others)
            if (titles.TryGetValue(id, out var found)) Add(id, found.Title, found.Score, 0);
            else if (stored.TryGetValue(id, out var item) && filter.Admits(item)) Add(id, item.Title, TensorPrimitives.Dot<float>(user, item.Vector), 0);
        return (nominees, near.Length < depth);

        void Add(ItemId id, string title, double cosine, int enters)
        {
            var known = stored.GetValueOrDefault(id);
            double own = strengths.GetValueOrDefault(id), recency = ranking.KnowsRecency ? Recency.Of(known!, ranking.RecencyAttribute!, ranking.RecencyHalfLife, now) : 0;
            double score = Blend.Score(cosine, shares[id], own, recency, ranking);
            var parts = explain
                ? new ScoreParts(cosine, ranking.Popularity > 0 ? shares[id] : null, ranking.History > 0 ? own : null, ranking.KnowsRecency ? recency : null)
                : null;
            nominees.Add(new Nominee(new RankedItem(id.Value, title, score, null, parts), score, enters, known, turns.TryGetValue(id, out ulong turn) ? turn : null));
        }
    }

    /// <summary>The turns of those that are little known.</summary>
    private Dictionary<ItemId, ulong> Turns(IReadOnlyList<ItemId> nearestFirst, string who, RankingOptions ranking)
    {
        if (ranking.Exploration == 0) return [];
        var counts = popularity.Of(nearestFirst);
        ItemId[] few = [.. nearestFirst.Where(item => counts[item] < ranking.ExplorationBelow)];
        return few.Zip(Exploration.Turns(few, who, time.GetUtcNow().Ticks / ranking.ExplorationPeriod.Ticks)).ToDictionary();
    }

    /// <summary>The item with its vector; null when it is unknown, deleted or hidden.</summary>
    public async Task<IndexedItem?> FindAsync(PairLease pair, ItemId id, CancellationToken cancellationToken) => await ShownAsync(pair, [id], cancellationToken) is [var item] ? item : null;

    /// <summary>Those of the items that an answer may name, with vectors: neither unknown nor deleted nor hidden. Whatever names items that were asked for goes through here.</summary>
    public async Task<IReadOnlyList<IndexedItem>> ShownAsync(PairLease pair, IReadOnlyList<ItemId> ids, CancellationToken cancellationToken) =>
        ids.Count == 0 ? [] : [.. (await index.FetchAsync(pair.Collection, ids, cancellationToken)).Where(item => item.Available && !pair.Hides(item.Id))];

    /// <summary>The most popular items; nobody is near to any of them, so none is explored.</summary>
    private async Task<(IReadOnlyList<Nominee> Nominees, bool All)> NominatePopularAsync(PairLease pair, RankingOptions ranking, int depth, ItemFilter filter, bool explain, CancellationToken cancellationToken)
    {
        var found = await PopularAsync(pair, depth, filter, cancellationToken);
        double most = popularity.Top(1) is [var best] ? best.Score : 1;
        return ([.. found.Select((item, n) => new Nominee(
            new RankedItem(item.Item.Id.Value, item.Item.Title, item.Score, null, explain ? new ScoreParts(Popularity: item.Score / most) : null),
            Blend.Flattened(item.Score / most), n < ranking.Candidates ? 0 : n, item.Item))], found.Count < depth);
    }

    private async Task<IReadOnlyList<(IndexedItem Item, double Score)>> PopularAsync(PairLease pair, int k, ItemFilter filter, CancellationToken cancellationToken)
    {
        var popular = new List<(IndexedItem, double)>(k);
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
                        popular.Add((indexed, score));
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

    private List<(IndexedItem, double)> PopularOf(PairLease pair, IReadOnlyList<IndexedItem> items, int k)
    {
        var scores = popularity.Of([.. items.Select(item => item.Id)]);
        return [.. items.Where(item => item.Available && scores[item.Id] > 0 && !pair.Hides(item.Id))
            .OrderByDescending(item => scores[item.Id]).ThenBy(item => item.Id).Take(k)
            .Select(item => (item, scores[item.Id]))];
    }

    /// <summary>Names beside each result the item of the history nearest to it that can still be had.</summary>
    private async Task<List<Nominee>> ExplainAsync(PairLease pair, List<Nominee> found, IReadOnlyList<IndexedItem> history, CancellationToken cancellationToken)
    {
        var vectors = (await ShownAsync(pair, [.. found.Where(nominee => nominee.Stored is null).Select(nominee => nominee.Id)], cancellationToken)).ToDictionary(item => item.Id, item => item.Vector);
        var reasons = history.Where(item => item.Available && !pair.Hides(item.Id)).OrderBy(item => item.Id).ToList();
        if (reasons.Count == 0) return found;
        return [.. found.Select(nominee =>
        {
            if ((nominee.Stored?.Vector ?? vectors.GetValueOrDefault(nominee.Id)) is not { } vector) return nominee;
            var nearest = reasons.Select(reason => (reason.Id, Similarity: (double)TensorPrimitives.Dot<float>(reason.Vector, vector))).MaxBy(reason => reason.Similarity);
            return nominee with { Item = nominee.Item with { Because = new Because(nearest.Id.Value, nearest.Similarity) } };
        })];
    }
}
