namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>What an index on a field of payloads takes in.</summary>
internal static class PayloadIndex
{
    public static Func<Point, bool> Holds(string field, FieldType type)
    {
        var path = PayloadPath.Parse(field);
        return point => path.In(point.Payload).Any(value => value.KindCase == Value.KindOneofCase.ListValue ? value.ListValue.Values.Any(Fits) : Fits(value));

        bool Fits(Value value) => type switch
        {
            FieldType.Integer => value.KindCase == Value.KindOneofCase.IntegerValue,
            FieldType.Float => value.KindCase is Value.KindOneofCase.DoubleValue or Value.KindOneofCase.IntegerValue,
            FieldType.Bool => value.KindCase == Value.KindOneofCase.BoolValue,
            FieldType.Geo => value.KindCase == Value.KindOneofCase.StructValue,
            _ when value.KindCase != Value.KindOneofCase.StringValue => false,
            FieldType.Datetime => PayloadTime.Parse(value.StringValue) is not null,
            FieldType.Uuid => Guid.TryParse(value.StringValue, out _),
            _ => true,
        };
    }
}
