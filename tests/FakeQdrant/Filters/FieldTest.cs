namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>One condition on a field; a list fits when one of its values does.</summary>
internal static class FieldTest
{
    public static Func<Point, bool> Of(FieldCondition condition, IReadOnlyDictionary<string, FieldType> indexed)
    {
        var path = PayloadPath.Parse(condition.Key);
        var match = condition.Match is { } wanted ? MatchTest.Of(wanted) : null;
        var range = condition.Range is { } bounds ? NumberIn(bounds) : null;
        var times = condition.DatetimeRange is { } period ? TimeIn(period) : null;
        // Without an index any check will do; an index answers with the first one that it knows.
        if (match is not null && indexed.TryGetValue(condition.Key, out var type) && type == FieldType.Integer) range = null;
        return point =>
        {
            foreach (var value in path.In(point.Payload))
                if (value.KindCase == Value.KindOneofCase.ListValue ? value.ListValue.Values.Any(Fits) : Fits(value)) return true;
            return false;
        };

        bool Fits(Value value) => match?.Invoke(value) == true || range?.Invoke(value) == true || times?.Invoke(value) == true;
    }

    private static Func<Value, bool> NumberIn(Range range) => value =>
    {
        double number;
        if (value.KindCase == Value.KindOneofCase.IntegerValue) number = value.IntegerValue;
        else if (value.KindCase == Value.KindOneofCase.DoubleValue) number = value.DoubleValue;
        else return false;
        return (!range.HasLt || number < range.Lt) && (!range.HasGt || number > range.Gt)
            && (!range.HasLte || number <= range.Lte) && (!range.HasGte || number >= range.Gte);
    };

    private static Func<Value, bool> TimeIn(DatetimeRange range)
    {
        DateTimeOffset? lt = range.Lt?.ToDateTimeOffset(), gt = range.Gt?.ToDateTimeOffset(), lte = range.Lte?.ToDateTimeOffset(), gte = range.Gte?.ToDateTimeOffset();
        return value => value.KindCase == Value.KindOneofCase.StringValue && PayloadTime.Parse(value.StringValue) is { } time
            && !(time >= lt) && !(time <= gt) && !(time > lte) && !(time < gte);
    }
}
