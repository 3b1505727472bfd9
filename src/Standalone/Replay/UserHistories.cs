using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>What each user did so far, as the profiles keep it, and the items that each has seen.</summary>
/// <param name="length">Interactions kept of a user.</param>
internal sealed class UserHistories(int users, int length, UserVectorOptions options)
{
    private readonly List<ProfileInteraction>?[] recent = new List<ProfileInteraction>?[users];
    private readonly List<int>?[] seen = new List<int>?[users];
    private readonly HashSet<(int User, int Item)> pairs = [];

    /// <summary>What each item of the user's history weighs now, by the function that serves users.</summary>
    public IReadOnlyList<(ItemId Item, double Weight)> Weights(int user, long nowMs)
    {
        if (recent[user] is not { } history) return [];
        ProfileInteraction[] newestFirst = [.. history];
        Array.Reverse(newestFirst);
        return UserVector.Weights(newestFirst, options, nowMs);
    }

    /// <summary>The user's own items, the one most likely bought again first, by the function that serves users.</summary>
    public IReadOnlyList<(ItemId Item, double Strength)> Own(int user, TimeSpan rest, long nowMs) =>
        recent[user] is { } history ? OwnHistory.Of([.. Enumerable.Reverse(history)], options.HalfLife, rest, nowMs) : [];

    /// <summary>The user's last distinct items, newest first: what a session that nobody knows the user of would send.</summary>
    public IReadOnlyList<ItemId> Last(int user, int most) =>
        recent[user] is { } history ? [.. Enumerable.Reverse(history).Where(interaction => options.WeightOf(interaction.Type, interaction.Value) > 0).Select(interaction => interaction.Item).Distinct().Take(most)] : [];

    /// <summary>Distinct items of the user in the order of their first time; grows, so the number of now names the state of now.</summary>
    public IReadOnlyList<int> Seen(int user) => seen[user] ?? (IReadOnlyList<int>)[];

    public bool HasSeen(int user, int item) => pairs.Contains((user, item));

    public void Add(int user, int item, ProfileInteraction interaction)
    {
        List<ProfileInteraction> history = recent[user] ??= [];
        if (history.Count == length) history.RemoveAt(0);
        history.Add(interaction);
        if (pairs.Add((user, item))) (seen[user] ??= []).Add(item);
    }
}
