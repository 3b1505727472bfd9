using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Profiles.Tests;

/// <summary>Changes with what a test does not care about filled in.</summary>
internal static class AChange
{
    public static ProfileChange By(long offset, string user, string item, long time, string? eventId = null, double? value = null) =>
        new(offset, new UserId(user), new ProfileInteraction(eventId ?? $"interactions/0/{offset}", new ItemId(item), "view", value, time));

    public static ProfileChange Forget(long offset, string user) => new(offset, new UserId(user), null);

    /// <summary>A log of few users with late events, repeated event ids and forgotten users.</summary>
    public static ProfileChange[] RandomLog(int seed, int length, int users)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(n => random.Next(40) == 0
            ? Forget(n, $"u{random.Next(users)}")
            : By(n, $"u{random.Next(users)}", $"i{random.Next(50)}", random.Next(100), random.Next(4) == 0 ? $"e{random.Next(60)}" : null, random.Next(3) == 0 ? random.Next(5) : null))];
    }

    /// <summary>What the log's begin, up to an offset, means for a user when nothing is cut off.</summary>
    public static IEnumerable<ProfileInteraction> Expected(IEnumerable<ProfileChange> log, UserId user) => log.Where(change => change.User == user).Reverse().TakeWhile(change => change.Interaction is not null).Reverse()
        .DistinctBy(change => change.Interaction!.Value.EventId).OrderByDescending(change => change.Interaction!.Value.TimestampMs).ThenByDescending(change => change.Offset).Select(change => change.Interaction!.Value);
}
