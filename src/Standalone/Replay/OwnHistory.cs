using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>Buying again: a user's own items by Σ weight · 2^(−age / half-life). Unlike in the user's vector, every interaction counts.</summary>
internal static class OwnHistory
{
    /// <param name="newestFirst">The user's interactions so far.</param>
    /// <returns>Distinct items, strongest first; of equals the one touched last. Half-life 0: no decay.</returns>
    public static ItemId[] Rank(IReadOnlyList<ProfileInteraction> newestFirst, UserVectorOptions options)
    {
        var strengths = new Dictionary<ItemId, double>();
        var order = new List<ItemId>(); // a stable sort keeps the newest of equals first
        foreach (ProfileInteraction interaction in newestFirst)
        {
            double weight = options.WeightOf(interaction.Type, interaction.Value);
            if (weight <= 0) continue;
            if (options.HalfLife > TimeSpan.Zero) weight *= Math.Pow(2, -(newestFirst[0].TimestampMs - interaction.TimestampMs) / options.HalfLife.TotalMilliseconds);
            if (strengths.TryAdd(interaction.Item, weight)) order.Add(interaction.Item);
            else strengths[interaction.Item] += weight;
        }
        return [.. order.OrderByDescending(item => strengths[item])];
    }
}
