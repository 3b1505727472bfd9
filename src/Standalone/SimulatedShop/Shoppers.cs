using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Standalone.SimulatedShop;

/// <summary>
/// People with projects. A shopper has one or two uses at a time, looks for what the use still lacks, follows the crowd a little, strays now and then,
/// and moves on to another use after some weeks; uses come into and go out of season.
/// </summary>
internal sealed class Shoppers(ShopOptions options, IReadOnlyList<Product> products, Random random)
{
    public const long WeekMs = 7L * 24 * 60 * 60 * 1000;

    /// <summary>What comes into the shop in its first weeks is looked at more.</summary>
    private const double NoveltyBoost = 2.5;
    private const long NoveltyMs = 2 * WeekMs;
    /// <summary>Who has a kettle rarely needs another.</summary>
    private const double SameRoleAgain = 0.25;

    private readonly int[][] productsOfUse = [.. Enumerable.Range(0, Uses.All.Count).Select(use => Enumerable.Range(0, products.Count).Where(n => products[n].Use == use).ToArray())];
    private readonly double[] useAppeal = Appeals(random);

    public IReadOnlyList<InteractionEvent> Trade(long startMs)
    {
        var events = new List<InteractionEvent>();
        for (int n = 0; n < options.Shoppers; n++) Visit(new UserId($"u{n + 1:D4}"), startMs, events);
        events.Sort((a, b) => (a.TimestampMs, a.UserId.Value, a.ItemId.Value).CompareTo((b.TimestampMs, b.UserId.Value, b.ItemId.Value)));
        return [.. events.Select((e, n) => e with { EventId = $"{Shop.EventPrefix(options.Seed)}{n + 1}" })];
    }

    private void Visit(UserId shopper, long startMs, List<InteractionEvent> events)
    {
        double activity = 0.6 + 1.4 * Math.Pow(random.NextDouble(), 2); // visits a week: most come seldom, some often
        var seen = new HashSet<int>();
        var rolesFilled = new HashSet<(int Use, int Role)>();
        List<int> projects = [StartProject(0)];
        if (random.Next(2) == 0) projects.Add(StartProject(0));

        for (int week = 0; week < options.PastWeeks + options.FutureWeeks; week++)
        {
            if (random.NextDouble() < options.Drift) projects[random.Next(projects.Count)] = StartProject(week);
            int visits = (int)activity + (random.NextDouble() < activity % 1 ? 1 : 0);
            long[] times = [.. Enumerable.Range(0, visits).Select(_ => startMs + week * WeekMs + (long)(random.NextDouble() * WeekMs)).Order()];
            foreach (long atMs in times)
            {
                bool strays = random.NextDouble() < options.Noise;
                int use = strays ? random.Next(Uses.All.Count) : projects[random.Next(projects.Count)];
                if (Choose(use, atMs, seen, rolesFilled) is not { } chosen) continue;
                seen.Add(chosen);
                rolesFilled.Add((products[chosen].Use, products[chosen].Role));
                string type = random.Next(10) switch { < 2 => "click", < 3 => "add_to_cart", _ => "purchase" };
                events.Add(new InteractionEvent(null, shopper, products[chosen].Item.ItemId, type, null, atMs, null));
            }
        }
    }

    private int? Choose(int use, long atMs, HashSet<int> seen, HashSet<(int Use, int Role)> rolesFilled)
    {
        int[] candidates = [.. productsOfUse[use].Where(n => products[n].ArrivesMs <= atMs && !seen.Contains(n))];
        if (candidates.Length == 0) return null;
        return Draw(candidates, [.. candidates.Select(n => products[n].Appeal
            * (rolesFilled.Contains((use, products[n].Role)) ? SameRoleAgain : 1)
            * (atMs - products[n].ArrivesMs < NoveltyMs ? NoveltyBoost : 1))]);
    }

    /// <summary>Each use has its season: a wave of twelve weeks, shifted from use to use.</summary>
    private int StartProject(int week) =>
        Draw([.. Enumerable.Range(0, Uses.All.Count)], [.. useAppeal.Select((appeal, use) => appeal * (1.3 + Math.Sin(2 * Math.PI * (week / 12.0 + (double)use / Uses.All.Count))))]);

    private int Draw(int[] choices, double[] weights)
    {
        double left = random.NextDouble() * weights.Sum();
        for (int n = 0; n < choices.Length - 1; n++)
        {
            left -= weights[n];
            if (left < 0) return choices[n];
        }
        return choices[^1];
    }

    private static double[] Appeals(Random random)
    {
        int[] ranks = [.. Enumerable.Range(0, Uses.All.Count)];
        random.Shuffle(ranks);
        return [.. ranks.Select(rank => 1 / Math.Sqrt(rank + 4))];
    }
}
