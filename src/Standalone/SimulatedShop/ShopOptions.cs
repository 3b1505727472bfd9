namespace BeeFormer.Streaming.Standalone.SimulatedShop;

/// <summary>Size and seed of a simulated shop; the same options give the same shop, byte for byte.</summary>
internal sealed record ShopOptions
{
    public int Seed { get; init; } = 1;
    public int Products { get; init; } = 2_000;
    public int Shoppers { get; init; } = 2_000;
    /// <summary>Weeks of trade before the present.</summary>
    public int PastWeeks { get; init; } = 12;
    /// <summary>Weeks after the present, on which rankings are judged.</summary>
    public int FutureWeeks { get; init; } = 2;
    /// <summary>Share of the catalogue that arrives at the present: no shopper has seen it before.</summary>
    public double NewShare { get; init; } = 0.1;
    /// <summary>Share of the catalogue that arrives bit by bit during the past weeks.</summary>
    public double ArrivingShare { get; init; } = 0.15;
    /// <summary>Share of visits that have nothing to do with the shopper's projects.</summary>
    public double Noise { get; init; } = 0.12;
    /// <summary>Chance that a shopper ends a project in a week and starts another.</summary>
    public double Drift { get; init; } = 0.12;
}
