using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Buying again: a user's own items by Σ 2^(−age / half-life) over their purchases. Unlike in the user's vector every purchase counts, and nothing else does:
/// who looks at an item or rates it has not bought it.
/// </summary>
public static class OwnHistory
{
    private const string Purchase = "purchase";

    /// <param name="newestFirst">The user's interactions so far.</param>
    /// <param name="halfLife">Zero: no decay.</param>
    /// <param name="rest">An item purchased less than this ago is not about to be bought again.</param>
    /// <param name="nowMs">Purchases later than this count as of now.</param>
    /// <returns>Distinct items by falling strength, of equals the one bought last first: shares of the strongest, 0 to 1; then those that rest, each −1.</returns>
    public static IReadOnlyList<(ItemId Item, double Strength)> Of(IReadOnlyList<ProfileInteraction> newestFirst, TimeSpan halfLife, TimeSpan rest, long nowMs)
    {
        var purchases = newestFirst.Where(interaction => interaction.Type == Purchase).Select(interaction => (interaction.Item, At: Math.Min(nowMs, interaction.TimestampMs))).ToList();
        var resting = purchases.Where(purchase => nowMs - purchase.At < rest.TotalMilliseconds).Select(purchase => purchase.Item).ToHashSet();
        var awake = purchases.Where(purchase => !resting.Contains(purchase.Item)).ToList();
        if (awake.Count == 0) return [.. resting.Select(item => (item, -1.0))];

        long newest = awake.Max(purchase => purchase.At); // ages against it: the same shares, and no underflow for a history of long ago
        var strengths = new Dictionary<ItemId, double>();
        var order = new List<ItemId>(); // a stable sort keeps the newest of equals first
        foreach (var (item, at) in awake)
        {
            double strength = halfLife > TimeSpan.Zero ? Math.Pow(2, -(newest - at) / halfLife.TotalMilliseconds) : 1;
            if (strengths.TryAdd(item, strength)) order.Add(item);
            else strengths[item] += strength;
        }
        double strongest = strengths.Values.Max();
        return [.. order.OrderByDescending(item => strengths[item]).Select(item => (item, strengths[item] / strongest)), .. resting.Select(item => (item, -1.0))];
    }
}
