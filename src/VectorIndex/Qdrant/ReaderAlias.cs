using System.Globalization;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>The name by which a reader, wherever it runs, keeps a collection: <c>&lt;collection&gt;.reader.&lt;who&gt;.&lt;until, in seconds since 1970&gt;</c>.</summary>
internal static class ReaderAlias
{
    private const string Mark = ".reader.";

    public static string Of(string collection, Guid reader, DateTimeOffset until) => string.Create(CultureInfo.InvariantCulture, $"{collection}{Mark}{reader:N}.{until.ToUnixTimeSeconds()}");

    /// <returns>Null when it is no reader's.</returns>
    public static DateTimeOffset? Until(string alias)
    {
        int end = alias.LastIndexOf('.');
        return alias.Contains(Mark, StringComparison.Ordinal) && long.TryParse(alias.AsSpan(end + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds < 253402300800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
    }
}
