namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>Which servers will do: an older one ignores the condition of an upsert, so that what is old would overwrite what is new.</summary>
internal static class ServerVersion
{
    private static readonly Version Oldest = new(1, 15, 4);

    /// <param name="version">As the server calls itself, such as <c>1.19.0</c> or <c>1.16.0-dev</c>.</param>
    /// <returns>Null when it will do.</returns>
    public static string? Refusal(string version)
    {
        if (!Version.TryParse(version.Split('-', '+')[0], out var number)) return $"calls its version \"{version}\"; expected {Oldest} or newer";
        return number < Oldest ? $"is version {version}; expected {Oldest} or newer, which has collection metadata and conditional upserts" : null;
    }
}
