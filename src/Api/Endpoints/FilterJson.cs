using System.Globalization;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// A filter as clients write it. Short: attribute → value or array of values, all of which must hold. Long: <c>must</c>, <c>should</c>, <c>must_not</c>, each an array of conditions; an object with
/// one of these three names is the long form, so an attribute that is called so can be named in the long form only.
/// </summary>
internal sealed class FilterJson
{
    public const int MaxDepth = 5, MaxConditions = 100, MaxValues = 100, MaxNameLength = 200;

    private static readonly string[] Parts = ["must", "should", "must_not"];
    private static readonly string[] NumberBounds = ["gt", "gte", "lt", "lte"];
    private static readonly string[] TimeBounds = ["after", "at_or_after", "before", "at_or_before"];

    private readonly int _mostIds;
    private int _conditions;

    private FilterJson(int mostIds) => _mostIds = mostIds;

    /// <param name="mostIds">Ids in one condition.</param>
    /// <returns>Null when the filter is fine, else the refusal, which names the place.</returns>
    public static ProblemHttpResult? Read(JsonElement? given, int mostIds, out ItemFilter filter)
    {
        filter = ItemFilter.None;
        if (given is not { ValueKind: not JsonValueKind.Null } json) return null;
        try
        {
            filter = new FilterJson(mostIds).Filter(json, "filter", depth: 1);
            return null;
        }
        catch (InvalidFilterException invalid)
        {
            return Refused.Field(invalid.Path, invalid.Message);
        }
        catch (InvalidOperationException)
        {
            return Refused.Field("filter", "filter holds text that is no valid Unicode; expected UTF-8, and surrogates in pairs."); // the reader of JSON looks at text only when it is asked for
        }
    }

    private ItemFilter Filter(JsonElement json, string path, int depth)
    {
        var members = Members(json, path, "an object: attribute → value, or must, should, must_not");
        return members.Keys.Any(Parts.Contains) ? Long(members, path, depth) : new ItemFilter { Must = [.. members.Select(member => Equal(member.Key, member.Value, $"{path}.{member.Key}"))] };
    }

    private ItemFilter Long(Dictionary<string, JsonElement> members, string path, int depth)
    {
        if (depth > MaxDepth) throw new InvalidFilterException(path, $"{path} is nested {depth} deep; at most {MaxDepth} levels are allowed.");
        if (members.Keys.FirstOrDefault(name => !Parts.Contains(name)) is { } stranger)
            throw new InvalidFilterException(Cut($"{path}.{stranger}"), $"{Cut($"{path}.{stranger}")} stands beside {members.Keys.First(Parts.Contains)}; expected must, should and must_not alone, with conditions on attributes inside them.");
        return new ItemFilter { Must = Conditions("must"), Should = Conditions("should"), MustNot = Conditions("must_not") };

        IReadOnlyList<ItemCondition> Conditions(string part)
        {
            if (!members.TryGetValue(part, out var list)) return [];
            string place = $"{path}.{part}";
            if (list.ValueKind != JsonValueKind.Array) throw Wrong(place, list, """an array of conditions such as {"attribute": "brand", "any_of": ["x"]}""");
            return [.. list.EnumerateArray().Select((condition, n) => Condition(condition, $"{place}[{n}]", depth))];
        }
    }

    private ItemCondition Condition(JsonElement json, string path, int depth)
    {
        const string Expected = "attribute with any_of or bounds, or ids, or must, should, must_not";
        var members = Members(json, path, $"an object with {Expected}");
        if (members.Keys.Any(Parts.Contains)) return Long(members, path, depth + 1);
        Count(path);
        if (members.TryGetValue("ids", out var ids)) return members.Count == 1 ? Ids(ids, $"{path}.ids") : throw new InvalidFilterException(path, $"{path} has ids beside other members; expected ids alone.");
        if (!members.Remove("attribute", out var attribute)) throw new InvalidFilterException(path, $"{path} has no attribute; expected {Expected}.");
        if (attribute.ValueKind != JsonValueKind.String) throw Wrong($"{path}.attribute", attribute, "the name of an attribute");
        string name = Name(attribute.GetString()!, $"{path}.attribute");
        if (members.Count == 0) throw new InvalidFilterException(path, $"{path} names an attribute only; expected any_of, or bounds ({string.Join(", ", NumberBounds)}; {string.Join(", ", TimeBounds)}) beside it.");
        if (members.TryGetValue("any_of", out var values) && members.Count == 1)
            return values.ValueKind == JsonValueKind.Array ? new AnyOf(name, Values(values, $"{path}.any_of")) : throw Wrong($"{path}.any_of", values, "an array of strings, numbers and booleans");
        if (members.Keys.All(NumberBounds.Contains))
            return new NumberRange(name, Number("gt"), Number("gte"), Number("lt"), Number("lte"));
        if (members.Keys.All(TimeBounds.Contains))
            return new TimeRange(name, Time("after"), Time("at_or_after"), Time("before"), Time("at_or_before"));
        string odd = members.Keys.FirstOrDefault(member => !NumberBounds.Contains(member) && !TimeBounds.Contains(member) && member != "any_of") ?? members.Keys.Last();
        throw new InvalidFilterException(Cut($"{path}.{odd}"), $"{Cut($"{path}.{odd}")} does not belong here; expected beside attribute any_of alone, or some of {string.Join(", ", NumberBounds)}, or some of {string.Join(", ", TimeBounds)}.");

        double? Number(string bound) =>
            !members.TryGetValue(bound, out var value) ? null
            : value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && double.IsFinite(number) ? number
            : throw Wrong($"{path}.{bound}", value, "a finite number");

        DateTimeOffset? Time(string bound) =>
            !members.TryGetValue(bound, out var value) ? null
            : (value.ValueKind == JsonValueKind.String ? AttributeValue.From(value.GetString()!).Time : null) ?? throw Wrong($"{path}.{bound}", value, "a date or time such as 2024-01-01T00:00:00Z");
    }

    private AnyOf Equal(string name, JsonElement value, string path)
    {
        Count(path);
        return new AnyOf(Name(name, path), Values(value, path));
    }

    private static List<AttributeValue> Values(JsonElement value, string path)
    {
        int parts = value.ValueKind == JsonValueKind.Array ? value.GetArrayLength() : 1;
        if (parts > MaxValues) throw new InvalidFilterException(path, $"{path} has {parts} values; at most {MaxValues} are allowed.");
        var values = AttributeValue.Of(value).ToList();
        return values.Count == parts && parts > 0 ? values : throw Wrong(path, value, "a string, a number, a boolean, or a non-empty array of these");
    }

    private HasId Ids(JsonElement ids, string path)
    {
        if (ids.ValueKind != JsonValueKind.Array || ids.GetArrayLength() == 0) throw Wrong(path, ids, "a non-empty array of item ids");
        if (ids.GetArrayLength() > _mostIds) throw new InvalidFilterException(path, $"{path} has {ids.GetArrayLength()} entries; at most {_mostIds} are allowed.");
        var read = new HashSet<ItemId>();
        foreach (var (n, id) in ids.EnumerateArray().Index())
        {
            if (id.ValueKind != JsonValueKind.String) throw Wrong($"{path}[{n}]", id, "an item id as a string");
            if (Id.Problem($"{path}[{n}]", id.GetString()) is { } problem) throw new InvalidFilterException($"{path}[{n}]", problem + ".");
            read.Add(new ItemId(id.GetString()!));
        }
        return new HasId(read);
    }

    private void Count(string path)
    {
        if (++_conditions > MaxConditions) throw new InvalidFilterException(path, $"{path} is condition {_conditions}; at most {MaxConditions} are allowed in a filter.");
    }

    private static string Name(string name, string path) =>
        name.Length is >= 1 and <= MaxNameLength ? name : throw new InvalidFilterException(Cut(path), $"{Cut(path)} names an attribute of {name.Length} characters; expected 1 to {MaxNameLength}.");

    private static Dictionary<string, JsonElement> Members(JsonElement json, string path, string expected)
    {
        if (json.ValueKind != JsonValueKind.Object) throw Wrong(path, json, expected);
        var members = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in json.EnumerateObject())
            if (!members.TryAdd(member.Name, member.Value)) throw new InvalidFilterException(Cut($"{path}.{member.Name}"), $"{Cut($"{path}.{member.Name}")} is named twice; expected once.");
        return members;
    }

    private static InvalidFilterException Wrong(string path, JsonElement value, string expected) => new(Cut(path), $"{Cut(path)} is {Cut(value.GetRawText())}; expected {expected}.");

    private static string Cut(string text) => text.Length <= 100 ? text : string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, 100)}…");

    private sealed class InvalidFilterException(string path, string message) : Exception(message)
    {
        public string Path => path;
    }
}
