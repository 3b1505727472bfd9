using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>The moment at which a list is asked for.</summary>
/// <param name="Interaction">The number of the interaction that is foretold.</param>
/// <param name="PopularityScale">Of <see cref="RecentPopularity.Scale"/>.</param>
internal readonly record struct Moment(int Interaction, long NowMs, string User, double PopularityScale);

/// <summary>The first places of a list as the service gives them, by the functions that serve. An item is as old as its first interaction: the data set tells no other age.</summary>
internal static class ServedList
{
    /// <returns>Items as places in the catalogue, best first.</returns>
    public static int[] Of(
        ReadOnlySpan<float> cosines, ReadOnlySpan<float> popularity, IReadOnlyList<(int Item, double Strength)> own, Moment moment, ItemNovelty novelty, ItemVectors vectors, IReadOnlyList<ItemId> ids, RankingOptions options)
    {
        float[] blended = BlendedScores.Of(cosines, popularity, own, options, options.KnowsRecency
            ? item => novelty.AgeMs(item, moment.Interaction, moment.NowMs) is { } age ? Recency.Of(age, options.RecencyHalfLife) : 0
            : null);
        if (options is { Arranges: false, Exploration: 0 })
        {
            int[] top = new int[Ranking.Depth];
            return top[..Ranking.Top(blended, top)];
        }

        var turns = new Dictionary<int, ulong>();
        if (options.Exploration > 0)
        {
            int[] near = new int[Math.Max(options.Candidates, Ranking.Depth)];
            var few = new List<int>();
            foreach (int item in near.AsSpan(0, Ranking.Top(cosines, near)))
                if (Math.Max(0, popularity[item]) * moment.PopularityScale < options.ExplorationBelow) few.Add(item); // of what nobody has touched it is minus infinity
            ulong[] order = Exploration.Turns([.. few.Select(item => ids[item])], moment.User, moment.NowMs / (long)options.ExplorationPeriod.TotalMilliseconds);
            for (int n = 0; n < order.Length; n++) turns.Add(few[n], order[n]);
        }
        int[] pool = [.. Enumerable.Range(0, blended.Length).Where(item => float.IsFinite(blended[item])).OrderByDescending(item => blended[item])];
        Candidate[] candidates = [.. pool.Select(item => new Candidate(blended[item], 0, vectors.RowOf(item) ?? [], [], turns.TryGetValue(item, out ulong turn) ? turn : null))];
        return [.. Arrangement.Of(candidates, options, Ranking.Depth).Select(place => pool[place.Index])];
    }
}
