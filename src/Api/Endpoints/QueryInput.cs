using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BeeFormer.Streaming.Api;

/// <summary>Checks shared by the endpoints that rank. Each returns null when the input is fine, else the refusal.</summary>
internal static class QueryInput
{
    public const int DefaultK = 10;
    public const int MaxK = 1000;
    private const int MaxFilterValues = 100;

    public static ProblemHttpResult? K(int? given, out int k)
    {
        k = given ?? DefaultK;
        return k is >= 1 and <= MaxK ? null : Refused.Field("k", $"k is {k}; expected 1 to {MaxK}.");
    }

    public static ProblemHttpResult? Ids(string field, string?[]? given, int most, out IReadOnlyList<ItemId> ids)
    {
        ids = [];
        if (given is null) return null;
        if (given.Length > most) return Refused.TooMany(field, given.Length, most);
        for (int n = 0; n < given.Length; n++)
            if (Id.Problem($"{field}[{n}]", given[n]) is { } problem)
                return Refused.Field($"{field}[{n}]", problem + ".");
        ids = [.. given.Select(id => new ItemId(id!))];
        return null;
    }

    public static ProblemHttpResult? Filter(Dictionary<string, JsonElement>? given, out ItemFilter filter)
    {
        filter = ItemFilter.None;
        if (given is null || given.Count == 0) return null;
        var conditions = new List<ItemCondition>();
        foreach (var (name, value) in given)
        {
            var values = AttributeValue.Of(value).ToList();
            int parts = value.ValueKind == JsonValueKind.Array ? value.GetArrayLength() : 1;
            if (values.Count != parts || parts == 0)
                return Refused.Field($"filter.{name}", $"filter.{name} is {Shown(value)}; expected a string, a number, a boolean, or a non-empty array of these.");
            if (parts > MaxFilterValues) return Refused.TooMany($"filter.{name}", parts, MaxFilterValues);
            conditions.Add(new AnyOf(name, values));
        }
        filter = new ItemFilter { Must = conditions };
        return null;
    }

    private static string Shown(JsonElement value)
    {
        string text = value.GetRawText();
        return text.Length <= 60 ? text : text[..60] + "…";
    }
}
