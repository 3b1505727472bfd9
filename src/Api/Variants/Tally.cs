namespace BeeFormer.Streaming.Api;

/// <param name="Lists">Answers that users were shown.</param>
/// <param name="Impressions">Items in them.</param>
/// <param name="Clicks">Of these, the ones that were looked at or clicked.</param>
/// <param name="Purchases">By users who had been shown a list.</param>
/// <param name="Hits">Of these, the ones of an item among the first 20 of the last list.</param>
internal readonly record struct Tally(long Lists = 0, long Impressions = 0, long Clicks = 0, long Purchases = 0, long Hits = 0)
{
    public static Tally operator +(Tally left, Tally right) =>
        new(left.Lists + right.Lists, left.Impressions + right.Impressions, left.Clicks + right.Clicks, left.Purchases + right.Purchases, left.Hits + right.Hits);
}

/// <summary>What was counted in the newest slots of time, in memory that does not grow. For one thread at a time.</summary>
internal sealed class RollingTally
{
    public const int Slots = 60;

    private readonly (long Slot, Tally Sum)[] _slots = new (long, Tally)[Slots];

    /// <param name="slot">To which it belongs, not after <paramref name="now"/>; what is no longer told is passed over.</param>
    public void Add(long slot, long now, Tally more)
    {
        if (slot <= now - Slots) return;
        ref var kept = ref _slots[slot % Slots];
        kept = (slot, kept.Slot == slot ? kept.Sum + more : more);
    }

    public Tally Sum(long now)
    {
        var sum = new Tally();
        foreach (var (slot, part) in _slots)
            if (slot > now - Slots) sum += part;
        return sum;
    }
}
