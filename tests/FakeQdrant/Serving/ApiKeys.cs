using Microsoft.AspNetCore.Http;

namespace BeeFormer.Streaming.FakeQdrant;

/// <param name="Key">Null: none is asked for.</param>
/// <param name="ReadOnlyKey">Null: there is none.</param>
internal sealed record ApiKeys(string? Key, string? ReadOnlyKey)
{
    /// <summary>Why a call is refused, or null.</summary>
    public string? Refuse(string path, IReadOnlyDictionary<string, string> headers)
    {
        if (Key is null && ReadOnlyKey is null || path == "/qdrant.Qdrant/HealthCheck") return null;
        if (Given(headers) is not { } given) return "Must provide an API key or an Authorization bearer token";
        return given == Key || given == ReadOnlyKey ? null : "Invalid API key or JWT";
    }

    public bool MayWrite(IReadOnlyDictionary<string, string> headers) => Key is null || Given(headers) == Key;

    private static string? Given(IReadOnlyDictionary<string, string> headers) =>
        headers.TryGetValue("api-key", out var key) ? key
        : headers.TryGetValue("authorization", out var text) && text.StartsWith("Bearer ", StringComparison.Ordinal) ? text["Bearer ".Length..]
        : null;
}
