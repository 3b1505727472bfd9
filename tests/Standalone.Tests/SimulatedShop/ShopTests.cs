using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.SimulatedShop;

namespace BeeFormer.Streaming.Standalone.Tests.SimulatedShop;

public sealed class ShopTests
{
    private static readonly Shop Opened = Shop.Open(new ShopOptions());

    [Fact]
    public void Same_seed_gives_the_same_bytes() =>
        Assert.Equal(Bytes(new ShopOptions { Seed = 7, Shoppers = 200 }), Bytes(new ShopOptions { Seed = 7, Shoppers = 200 }));

    [Fact]
    public void Another_seed_gives_another_shop() =>
        Assert.NotEqual(Bytes(new ShopOptions { Seed = 7, Shoppers = 200 }), Bytes(new ShopOptions { Seed = 8, Shoppers = 200 }));

    [Fact]
    public void Catalogue_has_as_many_products_as_asked_for_and_a_dozen_departments_at_least()
    {
        Assert.Equal(2_000, Opened.Products.Count);
        var departments = Opened.Products.CountBy(product => product.Department).ToDictionary();
        Assert.Equal(Wording.Departments.Keys.Order(), departments.Keys.Order());
        Assert.True(departments.Count >= 12);
        Assert.All(departments.Values, count => Assert.True(count >= 20, $"a department has only {count} products"));
    }

    [Fact]
    public void Titles_are_unique_and_nothing_is_left_of_the_templates()
    {
        Assert.Equal(Opened.Products.Count, Opened.Products.Select(product => product.Item.Title).Distinct().Count());
        Assert.All(Opened.Products, product =>
        {
            Assert.InRange(product.Item.Title.Length, 15, 110);
            Assert.InRange(product.Item.Description!.Length, 80, 400);
            Assert.DoesNotContain('{', product.Item.Title + product.Item.Description);
            Assert.DoesNotContain("  ", product.Item.Title + product.Item.Description, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Few_products_get_much_of_the_attention()
    {
        int[] counts = [.. Opened.Interactions.CountBy(interaction => interaction.ItemId).Select(pair => pair.Value).OrderDescending()];
        double topTenth = counts.Take(Opened.Products.Count / 10).Sum() / (double)Opened.Interactions.Count;
        Assert.InRange(topTenth, 0.25, 0.7);
    }

    [Fact]
    public void Interactions_are_in_time_order_and_touch_only_what_has_arrived()
    {
        var arrival = Opened.Products.ToDictionary(product => product.Item.ItemId, product => product.ArrivesMs);
        long before = 0;
        foreach (InteractionEvent interaction in Opened.Interactions)
        {
            Assert.True(interaction.TimestampMs >= before);
            Assert.True(interaction.TimestampMs >= arrival[interaction.ItemId]);
            before = interaction.TimestampMs;
        }
        Assert.Equal(Opened.Interactions.Count, Opened.Interactions.Select(interaction => interaction.EventId).Distinct().Count());
    }

    [Fact]
    public void New_products_are_a_tenth_of_the_catalogue_and_are_bought_after_the_present()
    {
        var fresh = Opened.NewProducts.Select(product => product.Item.ItemId).ToHashSet();
        Assert.Equal(200, fresh.Count);
        Assert.DoesNotContain(Opened.Past, interaction => fresh.Contains(interaction.ItemId));
        int sold = Opened.Future.Where(interaction => fresh.Contains(interaction.ItemId)).Select(interaction => interaction.ItemId).Distinct().Count();
        Assert.True(sold > 120, $"only {sold} new products were bought");
    }

    [Fact]
    public void Demand_drifts_from_the_first_weeks_to_the_last()
    {
        var use = Opened.Products.ToDictionary(product => product.Item.ItemId, product => product.Use);
        double[] Shares(IEnumerable<InteractionEvent> interactions)
        {
            int[] counts = new int[Uses.All.Count];
            foreach (InteractionEvent interaction in interactions) counts[use[interaction.ItemId]]++;
            return [.. counts.Select(count => count / (double)counts.Sum())];
        }
        double[] first = Shares(Opened.Interactions.Take(3_000)), last = Shares(Opened.Interactions.TakeLast(3_000));
        Assert.True(first.Zip(last, (a, b) => Math.Abs(a - b)).Sum() > 0.2);
    }

    [Fact]
    public void Signs_belong_to_one_use_each()
    {
        string[] signs = [.. Uses.All.SelectMany(use => use.Signs)];
        Assert.Equal(signs.Length, signs.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(Uses.All, use => Assert.Equal((6, 8), (use.Signs.Length, use.Roles.Length)));
    }

    [Fact]
    public void A_new_product_tells_its_use_by_a_word_that_older_products_of_the_use_carry()
    {
        Assert.All(Opened.NewProducts, fresh => Assert.Contains(Uses.All[fresh.Use].Signs, sign =>
            Has(fresh, sign) && Opened.KnownProducts.Any(known => known.Use == fresh.Use && Has(known, sign))));
    }

    /// <summary>The trap for whoever reads texts without knowing shoppers: things of one kind look alike across uses, things of one use do not.</summary>
    [Fact]
    public void Wording_follows_the_kind_of_thing_and_not_its_use()
    {
        var random = new Random(5);
        double sameUse = 0, sameKind = 0;
        int uses = 0, kinds = 0;
        while (uses < 2_000 || kinds < 2_000)
        {
            Product a = Opened.Products[random.Next(2_000)], b = Opened.Products[random.Next(2_000)];
            if (a == b) continue;
            if (a.Use == b.Use && a.Role != b.Role && uses < 2_000) { sameUse += Overlap(a, b); uses++; }
            if (a.Use != b.Use && a.Department == b.Department && kinds < 2_000) { sameKind += Overlap(a, b); kinds++; }
        }
        Assert.True(sameUse / uses < 0.7 * sameKind / kinds, $"same use {sameUse / uses:F3}, same department {sameKind / kinds:F3}");
    }

    private static bool Has(Product product, string sign) => Words(product).Contains(sign.ToLowerInvariant());

    private static double Overlap(Product a, Product b)
    {
        HashSet<string> first = Words(a), second = Words(b);
        return first.Intersect(second).Count() / (double)first.Union(second).Count();
    }

    private static HashSet<string> Words(Product product) =>
        [.. $"{product.Item.Title} {product.Item.Description}".ToLowerInvariant().Split([' ', ',', '.', ';', ':'], StringSplitOptions.RemoveEmptyEntries)];

    private static byte[] Bytes(ShopOptions options)
    {
        Shop shop = Shop.Open(options);
        return JsonSerializer.SerializeToUtf8Bytes(new { shop.Products, shop.Interactions });
    }
}
