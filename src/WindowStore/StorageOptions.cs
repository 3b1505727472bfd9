namespace BeeFormer.Streaming.WindowStore;

/// <summary>Where the window store lies and how long it keeps interactions, section <c>Storage</c>.</summary>
public sealed record StorageOptions
{
    public const string Section = "Storage";

    /// <summary>A folder (a path or <c>file:///…</c>), or <c>s3://bucket/prefix</c>. Default: the folder that the program keeps everything in.</summary>
    public string? Uri { get; set; }

    /// <summary>Age from which on interactions are dropped, by whole segments: newest event and time of landing must both be older. Default: none are. More than zero.</summary>
    public TimeSpan? Retention { get; set; }

    /// <summary>Room for copies of S3 objects on this machine, in bytes; a read that needs more takes more while it lasts. Default 10 GiB; 0 keeps none.</summary>
    public long CacheBytes { get; set; } = 10L << 30;

    public S3Options S3 { get; set; } = new();

    internal string? Problem() =>
        S3Location.Problem(Uri, $"{Section}:Uri") is { } wrong ? wrong
        : Retention <= TimeSpan.Zero ? $"{Section}:Retention is {Retention}; expected more than zero, or nothing to keep everything"
        : CacheBytes < 0 ? $"{Section}:CacheBytes is {CacheBytes}; expected 0 or more"
        : S3.Problem($"{Section}:S3");
}
