using System.Numerics.Tensors;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api;

/// <summary>Scores given items as <see cref="Recommender"/> scores those that it finds.</summary>
internal sealed class CandidateScoring(IVectorIndex index, PopularityCounter popularity, TimeProvider time)
{
    /// <param name="candidates">Distinct.</param>
    /// <returns>The candidates that may be shown, best first, ties by id, and why the others may not. <c>Popular</c>: the taste says nothing, and the scores are shares of the most popular item's popularity.</returns>
    public async Task<(IReadOnlyList<RankedItem> Items, IReadOnlyList<LeftOut> LeftOut, bool Popular)> ScoreAsync(
        PairLease pair, Recommender.Taste taste, RankingOptions ranking, IReadOnlyList<ItemId> candidates, CancellationToken cancellationToken)
    {
        var stored = (await index.FetchAsync(pair.Collection, [.. taste.Items.Select(item => item.Item).Union(candidates)], cancellationToken)).ToDictionary(item => item.Id);
        var user = UserVector.Sum(taste.Items, item => stored.TryGetValue(item, out var known) ? known.Vector : (ReadOnlyMemory<float>?)null);
        var shares = popularity.Shares(candidates);
        var strengths = taste.Own.ToDictionary(item => item.Item, item => item.Strength);

        long now = time.GetUtcNow().ToUnixTimeMilliseconds();

        var items = new List<RankedItem>();
        var leftOut = new List<LeftOut>();
        foreach (var candidate in candidates)
            if (pair.Hides(candidate) || stored.TryGetValue(candidate, out var known) && !known.Available) leftOut.Add(new LeftOut(candidate.Value, "hidden"));
            else if (!stored.TryGetValue(candidate, out var item)) leftOut.Add(new LeftOut(candidate.Value, "unknown"));
            else items.Add(new RankedItem(candidate.Value, item.Title, Score(item), null));
        return ([.. items.OrderByDescending(item => item.Score).ThenBy(item => item.ItemId, StringComparer.Ordinal)], leftOut, user is null);

        double Score(IndexedItem item)
        {
            if (user is null) return shares[item.Id];
            double recency = ranking.KnowsRecency ? Recency.Of(item, ranking.RecencyAttribute!, ranking.RecencyHalfLife, now) : 0;
            return Blend.Score(TensorPrimitives.Dot<float>(user, item.Vector), shares[item.Id], strengths.GetValueOrDefault(item.Id), recency, ranking);
        }
    }
}
