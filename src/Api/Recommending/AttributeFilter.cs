using System.Text.Json;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api;

/// <summary>The index's filter semantics, for items that come from elsewhere than a search.</summary>
internal static class AttributeFilter
{
    /// <summary>Available, not excluded, and every named attribute equals one of its values (compared as text; an array contains one).</summary>
    public static bool Admits(this ItemFilter filter, IndexedItem item) =>
        item.Available && !filter.Exclude.Contains(item.Id)
        && filter.Attributes.All(wanted => item.Attributes.TryGetValue(wanted.Key, out var value) && Texts(value).Any(wanted.Value.Contains));

    /// <summary>The value as the texts it is compared by.</summary>
    public static IEnumerable<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Texts),
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.True => ["true"],
        JsonValueKind.False => ["false"],
        JsonValueKind.Number => [value.GetRawText()],
        _ => [],
    };
}
