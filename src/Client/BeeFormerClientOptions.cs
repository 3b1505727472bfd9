namespace BeeFormer.Streaming.Client;

/// <summary>Which server, and how patiently it is asked.</summary>
public sealed record BeeFormerClientOptions
{
    /// <summary>Where the API is, such as <c>http://127.0.0.1:8080</c>; http or https.</summary>
    public required Uri Server { get; init; }

    /// <summary>Sent as <c>Authorization: Bearer</c>. Null: the server has no keys.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Time limit of one attempt. Default 10 s.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time limit of a call with all its attempts and the waits between them. Default 30 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time limit of calls for which the server reads or loads much, and of each of their attempts: one model, activation, what is left of a user. Default 10 minutes.</summary>
    public TimeSpan LongTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Attempts after the first, 0 to 100. Default 4.</summary>
    public int Retries { get; init; } = 4;

    /// <summary>Wait before the first retry; doubles, with jitter. Where the server says how long to wait (Retry-After), that is done. Default 0.2 s.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(0.2);

    internal void Check()
    {
        if (Server is not { IsAbsoluteUri: true, Scheme: "http" or "https" } || Server.Query.Length > 0 || Server.Fragment.Length > 0)
            throw new ArgumentException($"{nameof(Server)} is {Server}; expected the absolute address of a server, such as http://127.0.0.1:8080.");
        if (ApiKey is not null && (ApiKey.Length == 0 || !ApiKey.All(letter => letter is > ' ' and <= '~'))) throw new ArgumentException($"{nameof(ApiKey)} is empty or holds what no key does; expected printable ASCII without spaces, or null.");
        Limits.Check(nameof(AttemptTimeout), AttemptTimeout);
        Limits.Check(nameof(Timeout), Timeout);
        Limits.Check(nameof(LongTimeout), LongTimeout);
        Limits.Check(nameof(RetryDelay), RetryDelay);
        Limits.Check(nameof(Retries), Retries, 0, 100);
    }
}
