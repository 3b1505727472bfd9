using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.Client;

/// <summary>What items must be. A list in an attribute fits a condition when one of its values does. At most 100 conditions, 5 levels.</summary>
public sealed record Filter
{
    private Filter() { }

    [JsonInclude] internal string? Attribute { get; init; }
    [JsonInclude] internal IReadOnlyList<AttributeValue>? AnyOf { get; init; }
    [JsonInclude] internal double? Gt { get; init; }
    [JsonInclude] internal double? Gte { get; init; }
    [JsonInclude] internal double? Lt { get; init; }
    [JsonInclude] internal double? Lte { get; init; }
    [JsonInclude] internal DateTimeOffset? After { get; init; }
    [JsonInclude] internal DateTimeOffset? AtOrAfter { get; init; }
    [JsonInclude] internal DateTimeOffset? Before { get; init; }
    [JsonInclude] internal DateTimeOffset? AtOrBefore { get; init; }
    [JsonInclude] internal IReadOnlyList<string>? Ids { get; init; }
    [JsonInclude] internal IReadOnlyList<Filter>? Must { get; init; }
    [JsonInclude] internal IReadOnlyList<Filter>? Should { get; init; }
    [JsonInclude] internal IReadOnlyList<Filter>? MustNot { get; init; }

    /// <summary>The attribute equals one of 1 to 100 values.</summary>
    public static Filter Equal(string attribute, params IReadOnlyList<AttributeValue> anyOf) => new() { Attribute = attribute, AnyOf = anyOf };

    /// <summary>The attribute is a number between the bounds, of which at least one is given.</summary>
    public static Filter Number(string attribute, double? greaterThan = null, double? atLeast = null, double? lessThan = null, double? atMost = null) =>
        new() { Attribute = attribute, Gt = Finite(greaterThan), Gte = Finite(atLeast), Lt = Finite(lessThan), Lte = Finite(atMost) };

    /// <summary>The attribute is a text that holds a date or time (ISO 8601) between the bounds, of which at least one is given.</summary>
    public static Filter Time(string attribute, DateTimeOffset? after = null, DateTimeOffset? atOrAfter = null, DateTimeOffset? before = null, DateTimeOffset? atOrBefore = null) =>
        new() { Attribute = attribute, After = after, AtOrAfter = atOrAfter, Before = before, AtOrBefore = atOrBefore };

    /// <summary>The item is one of these.</summary>
    public static Filter OneOf(params IReadOnlyList<string> itemIds) => new() { Ids = itemIds };

    /// <summary>Every condition holds.</summary>
    public static Filter All(params IReadOnlyList<Filter> conditions) => new() { Must = conditions };

    /// <summary>At least one condition holds.</summary>
    public static Filter Any(params IReadOnlyList<Filter> conditions) => new() { Should = conditions };

    /// <summary>No condition holds.</summary>
    public static Filter None(params IReadOnlyList<Filter> conditions) => new() { MustNot = conditions };

    /// <summary>As the root of a filter must be: a condition stands inside <c>must</c>.</summary>
    internal Filter Whole() => Must is null && Should is null && MustNot is null ? All(this) : this;

    private static double? Finite(double? bound) =>
        bound is null || double.IsFinite(bound.Value) ? bound : throw new ArgumentOutOfRangeException(nameof(bound), bound, $"{bound} is no bound; expected a finite number.");
}
