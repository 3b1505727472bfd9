namespace BeeFormer.Streaming.Profiles.Embedded;

/// <summary>Settings of the embedded profiles.</summary>
public sealed record EmbeddedProfilesOptions
{
    /// <summary>Interactions kept of each user, the newest by event time. Default 200; 1 to 10,000.</summary>
    public int InteractionsPerUser { get; init; } = 200;

    /// <summary>Changes after which a snapshot is written. Default 1,000,000.</summary>
    public int SnapshotChanges { get; init; } = 1_000_000;

    /// <summary>Time after which the next batch writes a snapshot. Default 5 minutes. Shorter means less of the log to read again after a crash, and more writing.</summary>
    public TimeSpan SnapshotInterval { get; init; } = TimeSpan.FromMinutes(5);
}
