namespace BeeFormer.Streaming;

/// <summary>How S3 is reached. Credentials come from where the AWS SDK looks for them: environment, profile, the machine's role.</summary>
public sealed record S3Options
{
    /// <summary>Endpoint of a store that speaks S3. Default: Amazon's for the region.</summary>
    public string? ServiceUrl { get; set; }

    /// <summary>Default: as the SDK finds it (<c>AWS_REGION</c>, profile); with a <see cref="ServiceUrl"/> us-east-1.</summary>
    public string? Region { get; set; }

    /// <summary>The bucket in the path instead of the host's name, as most stores other than Amazon's want it. Default false.</summary>
    public bool ForcePathStyle { get; set; }

    /// <param name="section">Where they stand in the configuration.</param>
    internal string? Problem(string section) =>
        ServiceUrl is { } url && !(Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https") ? $"{section}:ServiceUrl is {url}; expected http://… or https://…" : null;
}
