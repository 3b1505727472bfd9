namespace BeeFormer.Streaming.WindowStore;

/// <summary>Where the window store lies and how long it keeps interactions, section <c>Storage</c>.</summary>
public sealed record StorageOptions
{
    public const string Section = "Storage";
    internal const string S3Scheme = "s3://";
    internal const string FileScheme = "file://";

    /// <summary>A folder (a path or <c>file:///…</c>), or <c>s3://bucket/prefix</c>. Default: the folder that the program keeps everything in.</summary>
    public string? Uri { get; set; }

    /// <summary>Age from which on interactions are dropped, by whole segments: newest event and time of landing must both be older. Default: none are. More than zero.</summary>
    public TimeSpan? Retention { get; set; }

    /// <summary>Room for copies of S3 objects on this machine, in bytes; a read that needs more takes more while it lasts. Default 10 GiB; 0 keeps none.</summary>
    public long CacheBytes { get; set; } = 10L << 30;

    public S3Options S3 { get; set; } = new();

    internal string? Problem() =>
        Uri is { } uri && uri.Contains("://", StringComparison.Ordinal) && !uri.StartsWith(S3Scheme, StringComparison.Ordinal) && !uri.StartsWith(FileScheme, StringComparison.Ordinal)
            ? $"{Section}:Uri is {uri}; expected a folder, file:///folder or s3://bucket/prefix"
        : Uri is { } s3 && s3.StartsWith(S3Scheme, StringComparison.Ordinal) && WindowStore.S3.S3Location.TryParse(s3) is null ? $"{Section}:Uri is {s3}; expected s3://bucket/prefix with the name of a bucket"
        : Retention <= TimeSpan.Zero ? $"{Section}:Retention is {Retention}; expected more than zero, or nothing to keep everything"
        : CacheBytes < 0 ? $"{Section}:CacheBytes is {CacheBytes}; expected 0 or more"
        : S3.ServiceUrl is { } url && !(System.Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https") ? $"{Section}:S3:ServiceUrl is {url}; expected http://… or https://…"
        : null;
}

/// <summary>How S3 is reached. Credentials come from where the AWS SDK looks for them: environment, profile, the machine's role.</summary>
public sealed record S3Options
{
    /// <summary>Endpoint of a store that speaks S3. Default: Amazon's for the region.</summary>
    public string? ServiceUrl { get; set; }

    /// <summary>Default: as the SDK finds it (<c>AWS_REGION</c>, profile); with a <see cref="ServiceUrl"/> us-east-1.</summary>
    public string? Region { get; set; }

    /// <summary>The bucket in the path instead of the host's name, as most stores other than Amazon's want it. Default false.</summary>
    public bool ForcePathStyle { get; set; }
}
