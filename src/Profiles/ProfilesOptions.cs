using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Profiles;

/// <summary>Settings of the profiles, section <c>Profiles</c>; each form reads what concerns it.</summary>
public sealed record ProfilesOptions
{
    public const string Section = "Profiles";

    /// <summary>Interactions kept of each user, the newest by event time. Default 200; 1 to 10,000.</summary>
    public int InteractionsPerUser { get; set; } = 200;

    /// <summary>Embedded: bytes of profiles held in memory, written or not. Default 256 MiB; 1 MiB to 1 TiB. The rest is read from disk when it is needed.</summary>
    public long MemoryBytes { get; set; } = 256 << 20;

    /// <summary>Embedded: time after which changes are on disk, and forgotten users off it. Default 5 seconds; up to an hour. Longer: less writing, more of the log to read again after a crash.</summary>
    public TimeSpan WriteInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Redis: time after a user's last interaction was applied when the profile goes. Default 90 days; 0: never.</summary>
    public TimeSpan TimeToLive { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Redis: what the keys begin with. Default <c>beeformer</c>; 1 to 64 letters, digits, '-', '_', '.' or ':'.</summary>
    public string Prefix { get; set; } = "beeformer";

    /// <summary>Redis: hash slots that the users are spread over. Default 1, for a single server; more for a cluster, each costs a call a batch. 1 to 1,024. Another number builds the profiles anew.</summary>
    public int Shards { get; set; } = 1;

    /// <summary>Null when all is in its range, else what is wrong.</summary>
    internal string? Problem() =>
        InteractionsPerUser is < 1 or > 10_000 ? $"{Section}:InteractionsPerUser is {InteractionsPerUser}; expected 1 to 10,000"
        : MemoryBytes is < 1L << 20 or > 1L << 40 ? $"{Section}:MemoryBytes is {MemoryBytes}; expected 1 MiB (1048576) to 1 TiB"
        : WriteInterval <= TimeSpan.Zero || WriteInterval > TimeSpan.FromHours(1) ? $"{Section}:WriteInterval is {WriteInterval}; expected more than zero, up to an hour"
        : TimeToLive < TimeSpan.Zero || TimeToLive > TimeSpan.FromDays(36_500) ? $"{Section}:TimeToLive is {TimeToLive}; expected 0 (never) up to 36,500 days"
        : Prefix.Length is < 1 or > 64 || !Prefix.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':') ? $"{Section}:Prefix is \"{Prefix}\"; expected 1 to 64 letters, digits, '-', '_', '.' or ':'"
        : Shards is < 1 or > 1024 ? $"{Section}:Shards is {Shards}; expected 1 to 1,024"
        : null;

    internal ProfilesOptions Checked() => Problem() is { } problem ? throw new OptionsValidationException(Section, typeof(ProfilesOptions), [problem]) : this;
}
