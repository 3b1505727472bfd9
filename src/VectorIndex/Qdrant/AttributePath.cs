using System.Text;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>
/// Names of attributes as keys of the payload and as paths to them. A path may quote any key but one with a quotation mark or a backslash; these two, and the percent sign by which they are replaced, are
/// written <c>%22</c>, <c>%5C</c> and <c>%25</c>.
/// </summary>
internal static class AttributePath
{
    /// <summary>The payload's field that holds the attributes.</summary>
    public const string Field = "attributes";

    public static string Key(string attribute)
    {
        if (attribute.AsSpan().IndexOfAny('"', '\\', '%') < 0) return attribute;
        return new StringBuilder(attribute).Replace("%", "%25").Replace("\"", "%22").Replace("\\", "%5C").ToString();
    }

    public static string Attribute(string key) =>
        key.Contains('%', StringComparison.Ordinal) ? key.Replace("%22", "\"", StringComparison.Ordinal).Replace("%5C", "\\", StringComparison.Ordinal).Replace("%25", "%", StringComparison.Ordinal) : key;

    public static string Of(string attribute) =>
        attribute.Length > 0 && attribute.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? $"{Field}.{attribute}" : $"{Field}.\"{Key(attribute)}\"";
}
