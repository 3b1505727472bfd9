using System.Security.Cryptography.X509Certificates;

namespace BeeFormer.Streaming.FakeQdrant;

public sealed record FakeQdrantOptions
{
    /// <summary>On 127.0.0.1; 0: any free one.</summary>
    public int Port { get; init; }

    /// <summary>Null: none is asked for.</summary>
    public string? ApiKey { get; init; }

    /// <summary>A key that may only read.</summary>
    public string? ReadOnlyApiKey { get; init; }

    /// <summary>With one: TLS.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>What the server says it is, from 1.12.2. Older ones than 1.17 answer vectors in the older form, and ignore what they do not know.</summary>
    public Version Version { get; init; } = new(1, 19, 0);

    /// <summary>False: calls leave no trace, for one that serves long.</summary>
    public bool RecordCalls { get; init; } = true;

    /// <summary>A file that every write is kept in, and from which they are there again at the next start; null: all is forgotten then.</summary>
    public string? Journal { get; init; }

    /// <summary>Of rate limits and delays.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
