using System.Numerics.Tensors;
using BeeFormer.Streaming.VectorIndex;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>What a list is as a whole, whatever its candidates are.</summary>
public sealed class ArrangementTests
{
    private const int Looked = 12;

    [Property(MaxTest = 300)]
    public void A_longer_list_begins_with_the_shorter_one(int seed)
    {
        var shop = new Shop(seed);
        var longest = List(shop, shop.Rules, 40);
        for (int count = 1; count < 40; count++) Assert.Equal(longest.Take(count), List(shop, shop.Rules, count));
    }

    [Property(MaxTest = 300)]
    public void What_lies_further_back_than_the_list_is_long_changes_nothing_until_caps_leave_places_empty(int seed)
    {
        var shop = new Shop(seed);
        var longest = List(shop, shop.Rules, 40);
        for (int count = 1; count < 40; count++)
        {
            int[] order = [.. shop.Order().Where(Shop.Pool(count).Contains)];
            Candidate[] near = [.. shop.Candidates(shop.Rules, null).Where((_, n) => order.Contains(shop.Order()[n]))];
            var list = Arrangement.Of(near, shop.Rules, count).Select(place => order[place.Index]).ToList();
            Assert.Equal(longest.Take(list.Count), list);
            if (shop.Rules.MaxPer.Count == 0) Assert.Equal(count, list.Count);
        }
    }

    [Property(MaxTest = 300)]
    public void Pages_are_the_whole_list_in_parts(int seed)
    {
        var shop = new Shop(seed);
        var whole = List(shop, shop.Rules, 40);
        var random = new Random(seed);
        var parts = new List<int>();
        while (parts.Count < whole.Count)
        {
            int count = 1 + random.Next(7);
            var page = List(shop, shop.Rules, new Places(count, parts.Count, id => parts.Contains(int.Parse(id, System.Globalization.CultureInfo.InvariantCulture))));
            Assert.NotEmpty(page);
            parts.AddRange(page);
        }
        Assert.Equal(whole, parts.Take(whole.Count));
    }

    [Property(MaxTest = 300)]
    public void Without_rules_the_scores_decide(int seed)
    {
        var shop = new Shop(seed);
        Assert.Equal(Shop.Pool(Looked).OrderByDescending(n => shop.Scores[n]).ThenBy(n => n).Take(Looked), List(shop, new RankingOptions { Candidates = Looked }, Looked));
    }

    [Property(MaxTest = 300)]
    public void Diversity_takes_the_greatest_margin_each_time(int seed)
    {
        var shop = new Shop(seed);
        var rules = new RankingOptions { Candidates = Looked, Diversity = shop.Rules.Diversity };
        var chosen = new List<int>();
        foreach (int item in List(shop, rules, Looked))
        {
            double Value(int n) => (1 - rules.Diversity) * shop.Scores[n] - rules.Diversity * chosen.Select(one => (double)TensorPrimitives.Dot<float>(shop.Vectors[one], shop.Vectors[n])).Append(0).Max();
            Assert.Equal(Shop.Pool(Looked).Except(chosen).Max(Value), Value(item), 1e-6);
            chosen.Add(item);
        }
        Assert.Equal(Looked, chosen.Count);
    }

    [Fact]
    public void Diversity_alone_first_takes_what_is_like_nothing_above_it()
    {
        float[] east = [1, 0], north = [0, 1], northeast = [0.6f, 0.8f];
        Candidate[] candidates = [new(0.9, 0, east, []), new(0.8, 0, east, []), new(0.7, 0, northeast, []), new(0.1, 0, north, [])];
        Assert.Equal([0, 3, 2, 1], Arrangement.Of(candidates, new RankingOptions { Diversity = 1 }, 4).Select(place => place.Index));
        var placed = Arrangement.Of(candidates, new RankingOptions { Diversity = 0.3 }, 4);
        Assert.Equal([0, 1, 2, 3], Arrangement.Of(candidates, new RankingOptions(), 4).Select(place => place.Index));
        Assert.Equal([0, 2, 1, 3], placed.Select(place => place.Index));
        Assert.Equal([0, 0.6, 1, 0.8], placed.Select(place => Math.Round(place.Likeness, 6)));
    }

    [Property(MaxTest = 300)]
    public void Caps_hold_and_leave_out_no_more_than_they_must(int seed)
    {
        var shop = new Shop(seed);
        foreach (int count in new[] { 5, 40 })
        {
            var list = List(shop, shop.Rules, count);
            int Brand(int n) => shop.Brands[n];
            int most = shop.Rules.MaxPer.GetValueOrDefault("brand", int.MaxValue);
            Assert.All(list.GroupBy(Brand), brand => Assert.True(brand.Count() <= most));
            if (list.Count < count) Assert.All(Enumerable.Range(0, Shop.Items).Except(list), left => Assert.Equal(most, list.Count(n => Brand(n) == Brand(left))));
        }
    }

    [Property(MaxTest = 300)]
    public void Kept_places_go_to_little_known_items_in_the_order_of_their_turns(int seed)
    {
        var shop = new Shop(seed);
        var rules = new RankingOptions { Candidates = Looked, Exploration = shop.Rules.Exploration };
        var placed = Arrangement.Of(shop.Candidates(rules, null), rules, Looked);
        var order = shop.Order();
        var above = new List<int>();
        for (int place = 0; place < placed.Count; place++)
        {
            int[] waiting = [.. Shop.Pool(Looked).Except(above).Where(n => shop.Turns[n] is not null)];
            Assert.Equal(Exploration.Keeps(place, rules.Exploration) && waiting.Length > 0, placed[place].Explored);
            if (placed[place].Explored) Assert.Equal(waiting.MinBy(n => shop.Turns[n]), order[placed[place].Index]);
            above.Add(order[placed[place].Index]);
        }
        int explored = placed.Count(place => place.Explored);
        Assert.True(explored <= placed.Count * rules.Exploration + 1e-6, $"{explored} of {placed.Count} explored");
    }

    [Fact]
    public void Places_kept_for_exploration_are_the_last_of_each_share()
    {
        Assert.Equal([9, 19, 29], Enumerable.Range(0, 30).Where(place => Exploration.Keeps(place, 0.1)));
        Assert.Equal([1, 3, 5], Enumerable.Range(0, 6).Where(place => Exploration.Keeps(place, 0.5)));
        Assert.DoesNotContain(Enumerable.Range(0, 1000), place => Exploration.Keeps(place, 0));
        foreach (double share in new[] { 0.01, 0.07, 0.29, 0.3, 0.49 }) Assert.Equal((int)Math.Round(share * 100), Enumerable.Range(0, 100).Count(place => Exploration.Keeps(place, share)));
    }

    [Fact]
    public void Turns_go_from_near_to_far_and_differ_between_users_and_times_but_not_between_lengths()
    {
        Contracts.ItemId[] items = [.. Enumerable.Range(0, 35).Select(n => new Contracts.ItemId($"i{n}"))];
        ulong[] turns = Exploration.Turns(items, "ann", 7);
        Assert.Equal(turns[..23], Exploration.Turns(items[..23], "ann", 7));
        int[] order = [.. Enumerable.Range(0, 35).OrderBy(n => turns[n])];
        Assert.Equal(Enumerable.Range(0, 35).Select(n => n / 10), order.Select(n => n / 10));
        Assert.NotEqual(Enumerable.Range(0, 35), order);
        foreach (var (who, period) in new[] { ("bob", 7L), ("ann", 8L) })
            Assert.NotEqual(order, Enumerable.Range(0, 35).OrderBy(n => Exploration.Turns(items, who, period)[n]));
    }

    private static IReadOnlyList<int> List(Shop shop, RankingOptions rules, Places places)
    {
        int[] order = shop.Order();
        return [.. Arrangement.Of(shop.Candidates(rules, places.Shown), rules, places).Select(place => order[place.Index])];
    }

    /// <summary>Items by their nearness to the user, with all else by chance.</summary>
    private sealed class Shop
    {
        public const int Items = 40;

        public Shop(int seed)
        {
            var random = new Random(seed);
            Scores = [.. Enumerable.Range(0, Items).Select(_ => Math.Round(random.NextDouble(), 1))]; // some are equal
            Vectors = [.. Enumerable.Range(0, Items).Select(_ => Direction(random))];
            Brands = [.. Enumerable.Range(0, Items).Select(_ => random.Next(6))];
            Turns = [.. Enumerable.Range(0, Items).Select(n => random.Next(3) == 0 ? (ulong?)((ulong)(n / 4) << 32 | (uint)random.Next()) : null)];
            Rules = new RankingOptions { Candidates = Looked, Diversity = random.Next(3) * 0.35, Exploration = random.Next(3) * 0.2 };
            if (random.Next(2) == 0) Rules.MaxPer["brand"] = 1 + random.Next(4);
        }

        public double[] Scores { get; }
        public float[][] Vectors { get; }
        public int[] Brands { get; }
        public ulong?[] Turns { get; }
        public RankingOptions Rules { get; }

        private static IEnumerable<int> All => Enumerable.Range(0, Items);

        public static IReadOnlyList<int> Pool(int places) => [.. All.Take(Math.Max(places, Looked))];

        public int[] Order() => [.. All.OrderByDescending(n => Scores[n]).ThenBy(n => n)];

        public Candidate[] Candidates(RankingOptions rules, Func<string, bool>? shown) => [.. Order().Select(n => new Candidate(
            Scores[n], n < Looked ? 0 : n, Vectors[n], rules.MaxPer.Count == 0 ? [] : [("brand", AttributeValue.From(Brands[n]))], Turns[n], shown?.Invoke($"{n}") ?? false))];

        private static float[] Direction(Random random)
        {
            float[] vector = [.. Enumerable.Range(0, 4).Select(_ => (float)(random.NextDouble() * 2 - 1))];
            float length = TensorPrimitives.Norm<float>(vector);
            return [.. vector.Select(value => value / length)];
        }
    }
}
