using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// A user as a direction among items: Σ weight · decay · a_item over the recent history, length 1 (ELSA's x·A). An item counts once, with the strongest of its
/// interactions: viewing, carting and buying one thing is one sign of taste, and ten reloads of a page are not ten.
/// </summary>
public static class UserVector
{
    /// <summary>The vector of a user.</summary>
    /// <param name="history">In any order; the newest <see cref="UserVectorOptions.MaxItems"/> distinct items count.</param>
    /// <param name="vectorOf">The item's vector, or null when the index does not hold it.</param>
    /// <param name="nowMs">Interactions later than this count as of now.</param>
    /// <returns>Null when nothing in the history says anything.</returns>
    public static float[]? From(IReadOnlyList<ProfileInteraction> history, Func<ItemId, ReadOnlyMemory<float>?> vectorOf, UserVectorOptions options, long nowMs) =>
        Sum(Weights(history, options, nowMs), vectorOf);

    /// <summary>What each item of a history weighs, newest first. Only ratios mean something: the newest interaction is not decayed.</summary>
    public static IReadOnlyList<(ItemId Item, double Weight)> Weights(IReadOnlyList<ProfileInteraction> history, UserVectorOptions options, long nowMs)
    {
        if (history.Count == 0) return [];
        // Ages against the newest interaction instead of now: the same direction, and no underflow for a history of long ago.
        long newest = Math.Min(nowMs, history.Max(interaction => interaction.TimestampMs));
        var weights = new Dictionary<ItemId, double>();
        var order = new List<ItemId>();
        foreach (var interaction in history.OrderByDescending(interaction => interaction.TimestampMs))
        {
            double weight = options.WeightOf(interaction.Type, interaction.Value);
            if (weight <= 0) continue;
            if (options.HalfLife > TimeSpan.Zero)
                weight *= Math.Pow(2, -(newest - Math.Min(nowMs, interaction.TimestampMs)) / options.HalfLife.TotalMilliseconds);
            if (weights.TryGetValue(interaction.Item, out double known))
                weights[interaction.Item] = Math.Max(known, weight);
            else if (order.Count < options.MaxItems)
            {
                order.Add(interaction.Item);
                weights[interaction.Item] = weight;
            }
        }
        return [.. order.Select((item, n) => (item, weights[item] * options.ShareAt(n)))];
    }

    /// <summary>What each item of a history without types and times weighs.</summary>
    public static IReadOnlyList<(ItemId Item, double Weight)> ByOrder(IReadOnlyList<ItemId> newestFirst, UserVectorOptions options) => [.. newestFirst.Select((item, n) => (item, options.ShareAt(n)))];

    /// <summary>Σ weight · vector, length 1; null when no item has a vector or they cancel out.</summary>
    public static float[]? Sum(IReadOnlyList<(ItemId Item, double Weight)> items, Func<ItemId, ReadOnlyMemory<float>?> vectorOf)
    {
        double[]? sum = null;
        foreach (var (item, weight) in items)
        {
            if (vectorOf(item) is not { Length: > 0 } vector) continue; // a null array is an empty memory
            sum ??= new double[vector.Length];
            var values = vector.Span;
            for (int n = 0; n < values.Length; n++) sum[n] += weight * values[n];
        }
        if (sum is null) return null;

        double length = Math.Sqrt(sum.Sum(value => value * value));
        if (!(length > 1e-12) || !double.IsFinite(length)) return null;
        return [.. sum.Select(value => (float)(value / length))];
    }
}
