using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Standalone.SimulatedShop;

/// <summary>A shop with some weeks of trade behind it and some ahead.</summary>
/// <param name="Interactions">Past and future, in event-time order.</param>
/// <param name="PresentMs">What happened before is known; what happens after is what a ranking made now is judged on.</param>
internal sealed record Shop(IReadOnlyList<Product> Products, IReadOnlyList<InteractionEvent> Interactions, long PresentMs)
{
    /// <summary>Event ids of a shop start so: the same shop sent again adds nothing.</summary>
    public static string EventPrefix(int seed) => $"shop-{seed}-";

    public static Shop Open(ShopOptions options)
    {
        long startMs = new DateTimeOffset(2025, 3, 3, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        long presentMs = startMs + options.PastWeeks * Shoppers.WeekMs;
        var random = new Random(options.Seed);
        IReadOnlyList<Product> products = new Catalogue(options, random).Write(startMs, presentMs);
        return new Shop(products, new Shoppers(options, products, random).Trade(startMs), presentMs);
    }

    public IEnumerable<Product> KnownProducts => Products.Where(product => product.ArrivesMs < PresentMs);
    public IEnumerable<Product> NewProducts => Products.Where(product => product.ArrivesMs >= PresentMs);
    public IEnumerable<InteractionEvent> Past => Interactions.TakeWhile(interaction => interaction.TimestampMs < PresentMs);
    public IEnumerable<InteractionEvent> Future => Interactions.SkipWhile(interaction => interaction.TimestampMs < PresentMs);
}
