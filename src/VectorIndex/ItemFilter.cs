using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex;

/// <summary>
/// What an answer may contain: every <see cref="Must"/>, at least one <see cref="Should"/> (if there are any), no <see cref="MustNot"/>; an empty filter admits everything.
/// Types are strict, as in Qdrant: text never equals a number. A list fits a condition when one of its values does.
/// </summary>
public sealed record ItemFilter : ItemCondition
{
    public static ItemFilter None { get; } = new();

    public IReadOnlyList<ItemCondition> Must { get; init; } = [];
    public IReadOnlyList<ItemCondition> Should { get; init; } = [];
    public IReadOnlyList<ItemCondition> MustNot { get; init; } = [];

    public bool IsEmpty => Must.Count == 0 && Should.Count == 0 && MustNot.Count == 0;

    /// <summary>This filter, and none of these items.</summary>
    public ItemFilter Without(IReadOnlySet<ItemId> ids) => ids.Count == 0 ? this : this with { MustNot = [.. MustNot, new HasId(ids)] };

    public override bool Admits(IndexedItem item)
    {
        foreach (var condition in Must)
            if (!condition.Admits(item)) return false;
        foreach (var condition in MustNot)
            if (condition.Admits(item)) return false;
        return Should.Count == 0 || Should.Any(condition => condition.Admits(item));
    }
}

/// <summary>A filter, or a leaf of one.</summary>
public abstract record ItemCondition
{
    private protected ItemCondition() { }

    /// <summary>The definition: every form of the index answers as this does.</summary>
    public abstract bool Admits(IndexedItem item);
}

/// <summary>The item is one of these; an empty set fits none.</summary>
public sealed record HasId(IReadOnlySet<ItemId> Ids) : ItemCondition
{
    public override bool Admits(IndexedItem item) => Ids.Contains(item.Id);
}

/// <summary>The attribute equals one of these values; no values fit none.</summary>
public sealed record AnyOf(string Attribute, IReadOnlyList<AttributeValue> Values) : ItemCondition
{
    public override bool Admits(IndexedItem item) => AttributeValue.Of(item, Attribute).Any(Values.Contains);
}

/// <summary>The attribute is a number between the bounds.</summary>
public sealed record NumberRange(string Attribute, double? GreaterThan = null, double? AtLeast = null, double? LessThan = null, double? AtMost = null) : ItemCondition
{
    public override bool Admits(IndexedItem item) => AttributeValue.Of(item, Attribute).Any(value => value.Number is { } number && Holds(number));

    public bool Holds(double number) => !(number <= GreaterThan) && !(number < AtLeast) && !(number >= LessThan) && !(number > AtMost);
}

/// <summary>The attribute is text that holds a date or time (ISO 8601; without an offset: UTC) between the bounds.</summary>
public sealed record TimeRange(string Attribute, DateTimeOffset? After = null, DateTimeOffset? AtOrAfter = null, DateTimeOffset? Before = null, DateTimeOffset? AtOrBefore = null) : ItemCondition
{
    public override bool Admits(IndexedItem item) => AttributeValue.Of(item, Attribute).Any(value => value.Time is { } time && Holds(time));

    public bool Holds(DateTimeOffset time) => !(time <= After) && !(time < AtOrAfter) && !(time >= Before) && !(time > AtOrBefore);
}

/// <summary>One value of an attribute: a text, a number or a boolean. Numbers are equal when their values are, 5 and 5.0 alike.</summary>
public readonly partial record struct AttributeValue
{
    private AttributeValue(string? text, double? number, bool? flag) => (Text, Number, Flag) = (text, number, flag);

    public static AttributeValue From(string text) => new(text, null, null);

    /// <exception cref="ArgumentException">Not finite.</exception>
    public static AttributeValue From(double number) =>
        double.IsFinite(number) ? new(null, number + 0.0, null) : throw new ArgumentException($"{number} is no value of an attribute; expected a finite number.", nameof(number));

    public static AttributeValue From(bool flag) => new(null, null, flag);

    public string? Text { get; }
    public double? Number { get; }
    public bool? Flag { get; }

    /// <summary>The text as a time; null when it is none. The forms are those that a Qdrant server reads as well: <c>2026-01-31</c>, <c>2026-01-31 10:00</c>, <c>2026-01-31T10:00:00</c> with T or a space, a fraction and an offset.</summary>
    public DateTimeOffset? Time =>
        Text is { Length: >= 10 and <= 40 } && TimeForm().IsMatch(Text)
        && DateTimeOffset.TryParse(Text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    [GeneratedRegex(@"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})?| [0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?([+-][0-9]{2}:?[0-9]{2})?)?)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex TimeForm();

    /// <summary>What the item has under this name; nothing when it lacks the attribute or holds null or an object.</summary>
    public static IEnumerable<AttributeValue> Of(IndexedItem item, string attribute) =>
        item.Attributes.TryGetValue(attribute, out var value) ? Of(value) : [];

    /// <summary>The values of an attribute in JSON: one, or those of an array.</summary>
    public static IEnumerable<AttributeValue> Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().SelectMany(part => part.ValueKind == JsonValueKind.Array ? [] : Of(part)),
        JsonValueKind.String => [From(value.GetString()!)],
        JsonValueKind.True or JsonValueKind.False => [From(value.GetBoolean())],
        JsonValueKind.Number when double.IsFinite(value.GetDouble()) => [From(value.GetDouble())],
        _ => [],
    };
}
