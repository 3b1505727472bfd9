using BeeFormer.Streaming.Contracts;
using Google.Protobuf.WellKnownTypes;
using Qdrant.Client.Grpc;
using QdrantRange = Qdrant.Client.Grpc.Range;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>
/// Filters of items as filters of points; each must answer as <see cref="ItemCondition.Admits"/> does. One check a condition: of two, the server may take either one.
/// Numbers are compared by ranges, since a match of an integer does not find the equal double.
/// </summary>
internal static class ItemConditions
{
    private static readonly Condition IsDeleted = Is(ItemPoints.Deleted, new Match { Boolean = true });
    private static readonly Condition IsAvailable = Is(ItemPoints.Available, new Match { Boolean = true });

    /// <summary>Items that pass, hidden ones included.</summary>
    public static Filter Stored(ItemFilter filter)
    {
        var stored = new Filter { MustNot = { IsDeleted } };
        if (!filter.IsEmpty) stored.Must.Add(Of(filter));
        return stored;
    }

    /// <summary>Items that pass and are not hidden.</summary>
    public static Filter Shown(ItemFilter filter)
    {
        var shown = new Filter { Must = { IsAvailable } };
        if (!filter.IsEmpty) shown.Must.Add(Of(filter));
        return shown;
    }

    private static Condition Of(ItemCondition condition) => condition switch
    {
        ItemFilter filter => new Condition { Filter = Tree(filter) },
        HasId ids => Ids(ids.Ids),
        AnyOf any => Any(AttributePath.Of(any.Attribute), any.Values),
        NumberRange range => new Condition { Field = new FieldCondition { Key = AttributePath.Of(range.Attribute), Range = Numbers(range) } },
        TimeRange range => new Condition { Field = new FieldCondition { Key = AttributePath.Of(range.Attribute), DatetimeRange = Times(range) } },
        _ => throw new NotSupportedException($"{condition.GetType().Name} is not a condition that Qdrant is asked for."),
    };

    private static Filter Tree(ItemFilter filter)
    {
        var tree = new Filter();
        tree.Must.AddRange(filter.Must.Select(Of));
        tree.Should.AddRange(filter.Should.Select(Of));
        tree.MustNot.AddRange(filter.MustNot.Select(Of));
        return tree;
    }

    private static Condition Ids(IEnumerable<ItemId> ids)
    {
        var has = new HasIdCondition();
        has.HasId.AddRange(PointIds.Of(ids));
        return new Condition { HasId = has };
    }

    private static Condition Any(string key, IReadOnlyList<AttributeValue> values)
    {
        var texts = new RepeatedStrings();
        texts.Strings.AddRange(values.Where(value => value.Text is not null).Select(value => value.Text));
        var any = new Filter();
        foreach (var value in values)
        {
            if (value.Number is { } number) any.Should.Add(new Condition { Field = new FieldCondition { Key = key, Range = new QdrantRange { Gte = number, Lte = number } } });
            if (value.Flag is { } flag) any.Should.Add(Is(key, new Match { Boolean = flag }));
        }
        if (texts.Strings.Count > 0 || any.Should.Count == 0) any.Should.Add(Is(key, new Match { Keywords = texts })); // no keywords: nothing fits; no conditions: everything would
        return any.Should.Count == 1 ? any.Should[0] : new Condition { Filter = any };
    }

    private static Condition Is(string key, Match match) => new() { Field = new FieldCondition { Key = key, Match = match } };

    /// <summary>Bounds that are no numbers hold for all, as they do in C#. A range without bounds would admit texts.</summary>
    private static QdrantRange Numbers(NumberRange of)
    {
        var range = new QdrantRange();
        if (of.GreaterThan is { } gt && !double.IsNaN(gt)) range.Gt = gt;
        if (of.AtLeast is { } gte && !double.IsNaN(gte)) range.Gte = gte;
        if (of.LessThan is { } lt && !double.IsNaN(lt)) range.Lt = lt;
        if (of.AtMost is { } lte && !double.IsNaN(lte)) range.Lte = lte;
        if (range.CalculateSize() == 0) range.Gte = double.NegativeInfinity;
        return range;
    }

    private static DatetimeRange Times(TimeRange of)
    {
        var range = new DatetimeRange();
        if (of.After is { } gt) range.Gt = Timestamp.FromDateTimeOffset(gt);
        if (of.AtOrAfter is { } gte) range.Gte = Timestamp.FromDateTimeOffset(gte);
        if (of.Before is { } lt) range.Lt = Timestamp.FromDateTimeOffset(lt);
        if (of.AtOrBefore is { } lte) range.Lte = Timestamp.FromDateTimeOffset(lte);
        if (range.CalculateSize() == 0) range.Gte = Timestamp.FromDateTimeOffset(DateTimeOffset.MinValue);
        return range;
    }
}
