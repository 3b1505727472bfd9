using System.Text.Json;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

internal static class Filtering
{
    public static bool Passes(IndexedItem item, ItemFilter filter)
    {
        if (filter.Exclude.Count > 0 && filter.Exclude.Contains(item.Id)) return false;
        foreach (var (name, values) in filter.Attributes)
            if (!item.Attributes.TryGetValue(name, out var value) || !Matches(value, values)) return false;
        return true;
    }

    private static bool Matches(JsonElement value, IReadOnlyList<string> wanted) => value.ValueKind == JsonValueKind.Array
        ? value.EnumerateArray().Any(entry => wanted.Contains(Text(entry), StringComparer.Ordinal))
        : wanted.Contains(Text(value), StringComparer.Ordinal);

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
