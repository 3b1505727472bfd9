using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Compares an answer with a recorded one. What lies inside of payloads must be equal; elsewhere numbers may differ by <paramref name="tolerance"/>.</summary>
/// <param name="ignored">Keys outside of payloads that may differ.</param>
/// <param name="unordered">Keys of lists without an order.</param>
/// <param name="ties">Among results of equal score the order is arbitrary, and which of them make the limit.</param>
internal sealed class TranscriptComparison(IReadOnlySet<string> ignored, IReadOnlySet<string> unordered, bool ties, double tolerance)
{
    /// <returns>The first difference, or null.</returns>
    public string? Difference(JsonNode? expected, JsonNode? actual) => Difference(expected, actual, "", false);

    private string? Difference(JsonNode? expected, JsonNode? actual, string at, bool payload)
    {
        switch (expected, actual)
        {
            case (JsonObject wanted, JsonObject got):
                foreach (var key in wanted.Select(pair => pair.Key).Union(got.Select(pair => pair.Key)))
                    if ((payload || !ignored.Contains(key)) && Difference(wanted[key], got[key], $"{at}.{key}", payload || key is "payload" or "metadata") is { } difference) return difference;
                return null;
            case (JsonArray wanted, JsonArray got):
                if (wanted.Count != got.Count) return $"{at} has {got.Count} elements, not {wanted.Count}";
                var list = at[(at.LastIndexOf('.') + 1)..];
                if (!payload && ties && list == "result" && wanted.Count > 0 && wanted[0] is JsonObject first && first.ContainsKey("id")) return TiedDifference(wanted, got, at);
                var sort = !payload && unordered.Contains(list);
                return Ordered(wanted, sort).Zip(Ordered(got, sort)).Index().Select(pair => Difference(pair.Item.First, pair.Item.Second, $"{at}[{pair.Index}]", payload)).FirstOrDefault(difference => difference is not null);
            case (JsonValue wanted, JsonValue got) when !payload && wanted.GetValueKind() == JsonValueKind.Number && got.GetValueKind() == JsonValueKind.Number:
                return Math.Abs(Number(wanted) - Number(got)) <= tolerance ? null : $"{at} is {got}, not {wanted}";
            case (JsonValue wanted, JsonValue got) when wanted.GetValueKind() == JsonValueKind.Number && got.GetValueKind() == JsonValueKind.Number:
                return Number(wanted).Equals(Number(got)) ? null : $"{at} is {got}, not {wanted}";
            default:
                return JsonNode.DeepEquals(expected, actual) ? null : $"{at} is {actual?.ToJsonString() ?? "absent"}, not {expected?.ToJsonString() ?? "absent"}";
        }
    }

    private string? TiedDifference(JsonArray wanted, JsonArray got, string at)
    {
        for (var i = 0; i < wanted.Count; i++)
        {
            if (Difference(wanted[i]!["score"], got[i]!["score"], $"{at}[{i}].score", false) is { } difference) return difference;
            var score = Score(wanted[i]!);
            var alone = i < wanted.Count - 1 && wanted.Count(other => Math.Abs(Score(other!) - score) <= tolerance) == 1;
            if (alone && Difference(wanted[i], got[i], $"{at}[{i}]", false) is { } other) return other;
            // One of several alike: where both have it, it must look the same.
            var twin = got.FirstOrDefault(hit => JsonNode.DeepEquals(hit!["id"], wanted[i]!["id"]));
            if (twin is not null && Difference(wanted[i], twin, $"{at}[{i}]", false) is { } third) return third;
        }
        return got.Select(hit => hit!["id"]!.ToJsonString()).Distinct().Count() == got.Count ? null : $"{at} holds an id twice";
    }

    private static double Score(JsonNode hit) => hit["score"] is JsonValue score && score.GetValueKind() == JsonValueKind.Number ? Number(score) : hit["score"] is null ? 0 : double.NaN;

    private static double Number(JsonValue value) => double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);

    private static IEnumerable<JsonNode?> Ordered(JsonArray array, bool sort) => sort ? array.OrderBy(node => node?.ToJsonString(), StringComparer.Ordinal) : array;
}
