using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.Standalone.Replay;
using BeeFormer.Streaming.Standalone.SimulatedShop;

namespace BeeFormer.Streaming.Standalone.Demo;

/// <summary>
/// Judges a ranking by what shoppers buy after the present. Each gets the whole catalogue ranked, without what they know already; relevant is what they go on to buy for the first time.
/// For new products only those count as relevant, while all other products still compete with them: that is what a shopper would see.
/// </summary>
internal sealed class FutureShoppers
{
    private readonly List<Shopper> shoppers = [];
    private readonly float[] popularity;

    public FutureShoppers(Shop shop, IReadOnlyDictionary<ItemId, int> places, UserVectorOptions options, TimeSpan popularityHalfLife)
    {
        var fresh = shop.NewProducts.Select(product => places[product.Item.ItemId]).ToHashSet();
        var popular = new RecentPopularity(places.Count, popularityHalfLife);
        var past = new Dictionary<UserId, List<ProfileInteraction>>();
        foreach (InteractionEvent known in shop.Past)
        {
            popular.Add(places[known.ItemId], options.WeightOf(known.Type, known.Value), known.TimestampMs);
            if (!past.TryGetValue(known.UserId, out List<ProfileInteraction>? history)) past[known.UserId] = history = [];
            history.Insert(0, new ProfileInteraction(known.EventId!, known.ItemId, known.Type, known.Value, known.TimestampMs));
        }
        popularity = popular.Scores.ToArray();

        foreach (IGrouping<UserId, InteractionEvent> future in shop.Future.Where(bought => bought.Type == "purchase").GroupBy(bought => bought.UserId))
        {
            if (!past.TryGetValue(future.Key, out List<ProfileInteraction>? history)) continue;
            HashSet<int> seen = [.. history.Select(known => places[known.Item])];
            HashSet<int> relevant = [.. future.Select(bought => places[bought.ItemId]).Where(item => !seen.Contains(item))];
            if (relevant.Count > 0) shoppers.Add(new Shopper(UserVector.Weights(history, options, shop.PresentMs), seen, relevant, [.. relevant.Where(fresh.Contains)]));
        }
    }

    public int Count => shoppers.Count;
    public int CountOfNew => shoppers.Count(shopper => shopper.RelevantNew.Count > 0);

    public DemoRow JudgePopularity() => Judge("popularity", _ => (float[])popularity.Clone());

    public DemoRow Judge(string name, ItemVectors vectors) => Judge(name, shopper =>
        UserVector.Sum(shopper.Taste, vectors.VectorOf) is { } user ? vectors.Score([user]) : (float[])popularity.Clone());

    private DemoRow Judge(string name, Func<Shopper, float[]> rank)
    {
        double recall = 0, recallNew = 0, gain = 0;
        foreach (Shopper shopper in shoppers)
        {
            float[] scores = rank(shopper);
            foreach (int item in shopper.Seen) scores[item] = float.NegativeInfinity;
            int[] top = new int[Ranking.Depth];
            ReadOnlySpan<int> shown = top.AsSpan(0, Ranking.Top(scores, top));
            recall += Recall(shown, shopper.Relevant);
            recallNew += Recall(shown, shopper.RelevantNew);
            gain += Ndcg(shown, shopper.Relevant);
        }
        return new DemoRow(name, recallNew / Math.Max(1, CountOfNew), recall / Math.Max(1, Count), gain / Math.Max(1, Count));
    }

    private static double Recall(ReadOnlySpan<int> shown, HashSet<int> relevant)
    {
        int hits = 0;
        foreach (int item in shown)
            if (relevant.Contains(item)) hits++;
        return relevant.Count == 0 ? 0 : hits / (double)Math.Min(Ranking.Depth, relevant.Count);
    }

    private static double Ndcg(ReadOnlySpan<int> shown, HashSet<int> relevant)
    {
        double gain = 0, ideal = 0;
        for (int place = 0; place < shown.Length; place++)
            if (relevant.Contains(shown[place])) gain += 1 / Math.Log2(place + 2);
        for (int place = 0; place < Math.Min(Ranking.Depth, relevant.Count); place++) ideal += 1 / Math.Log2(place + 2);
        return gain / ideal;
    }

    private sealed record Shopper(IReadOnlyList<(ItemId Item, double Weight)> Taste, HashSet<int> Seen, HashSet<int> Relevant, HashSet<int> RelevantNew);
}
