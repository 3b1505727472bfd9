using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Profiles;

/// <summary>Each user's most recent interactions, applied once each.</summary>
public interface IProfiles
{
    /// <summary>First offset of the interactions partition that was not applied durably yet: where reading the log must go on for the profiles.</summary>
    long NextOffset(int partition);

    /// <summary>Applies a batch of one partition, offsets ascending, and moves the position to <paramref name="nextOffset"/>. What lies below the current position changes nothing, nor does an event id that the profile holds.</summary>
    ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken);

    /// <summary>The user's interactions, newest first; empty for an unknown user.</summary>
    ValueTask<IReadOnlyList<ProfileInteraction>> GetAsync(UserId user, CancellationToken cancellationToken);

    /// <summary>Makes what was applied durable (a clean stop; otherwise the log is read again from <see cref="NextOffset"/>).</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);
}

/// <param name="Interaction">Null: forget the user.</param>
public readonly record struct ProfileChange(long Offset, UserId User, ProfileInteraction? Interaction);

public readonly record struct ProfileInteraction(string EventId, ItemId Item, string Type, double? Value, long TimestampMs);
