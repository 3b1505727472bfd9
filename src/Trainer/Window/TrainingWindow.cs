using System.Security.Cryptography;
using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>What a training sees: the window, and before it a draw of the older history that the window was cut from.</summary>
/// <param name="Rows">Older rows first; the content hash covers both.</param>
/// <param name="Older">Number of older rows. They are learned from, and never held out.</param>
internal sealed record TrainingWindow(InteractionWindow Rows, int Older)
{
    /// <summary>Weights decayed out of sight would leave a user's row without length.</summary>
    private const double SmallestWeight = 1e-6;

    /// <summary>Reads the window, and so much older history that it is <see cref="TrainingPolicy.ReplayShare"/> of what is learned from. The same window and older history give the same draw.</summary>
    public static TrainingWindow Read(IWindowStore windows, WindowQuery query, TrainingPolicy policy)
    {
        InteractionWindow window = windows.Read(query);
        bool cut = query.FromMs is not null || window.Count == query.LastN;
        double share = policy.ReplayShare;
        if (share == 0 || !cut || window.Count == 0) return new TrainingWindow(window, 0);
        // The newest slice is only compared on: the share is one of the rest.
        var wanted = (long)(window.Count * (1 - policy.HoldoutShare) * share / (1 - share));
        InteractionWindow older = windows.Read(query with
        {
            FromMs = null, ToMs = window.TimestampMs[0], LastN = null, AsOf = window.AsOf,
            // By the window's content: another window hears other users, the same one the same.
            Draw = new UserDraw(wanted, $"{policy.Seed} {window.ContentHash}"),
        });
        return older.Count == 0 ? new TrainingWindow(window, 0) : new TrainingWindow(Join(older, window, query.HalfLife), older.Count);
    }

    private static InteractionWindow Join(InteractionWindow older, InteractionWindow window, TimeSpan? halfLife)
    {
        (List<UserId> users, int[] olderUser, int[] user) = Union(older.Users, window.Users);
        (List<ItemId> items, int[] olderItem, int[] item) = Union(older.Items, window.Items);
        // Each read has weighed its rows by their age against its own newest one.
        double decay = halfLife is { } half ? Math.Pow(0.5, (window.TimestampMs[^1] - older.TimestampMs[^1]) / half.TotalMilliseconds) : 1;
        return new InteractionWindow(users, items,
            [.. older.User.Select(u => olderUser[u]), .. window.User.Select(u => user[u])], [.. older.Item.Select(i => olderItem[i]), .. window.Item.Select(i => item[i])],
            [.. older.Weight.Select(weight => (float)Math.Max(weight * decay, SmallestWeight)), .. window.Weight], [.. older.TimestampMs, .. window.TimestampMs], window.AsOf,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{older.ContentHash} before {window.ContentHash}"))));
    }

    /// <returns>The sorted ids of both, and for each place in one of them its place there.</returns>
    private static (List<T> Ids, int[] First, int[] Second) Union<T>(IReadOnlyList<T> first, IReadOnlyList<T> second) where T : struct, IComparable<T>
    {
        List<T> ids = [.. first.Union(second).Order()];
        Dictionary<T, int> place = ids.Select((id, n) => (id, n)).ToDictionary(pair => pair.id, pair => pair.n);
        return (ids, [.. first.Select(id => place[id])], [.. second.Select(id => place[id])]);
    }
}
