namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>A filter made ready to be asked about many points; checks it on the way.</summary>
internal static class PointFilter
{
    /// <param name="indexed">The payload indexes of the collection; they change what a condition means that both matches and ranges.</param>
    /// <exception cref="Grpc.Core.RpcException">The filter is malformed.</exception>
    public static Func<Point, bool> Of(Filter? filter, IReadOnlyDictionary<string, FieldType> indexed)
    {
        if (filter is null) return _ => true;
        var must = All(filter.Must);
        var mustNot = All(filter.MustNot);
        var should = All(filter.Should);
        var some = All(filter.MinShould?.Conditions ?? []);
        var least = filter.MinShould?.MinCount ?? 0;
        return point =>
        {
            foreach (var condition in must)
                if (!condition(point)) return false;
            foreach (var condition in mustNot)
                if (condition(point)) return false;
            return (should.Length == 0 || should.Any(condition => condition(point)))
                && (least == 0 || (ulong)some.Count(condition => condition(point)) >= least);
        };

        Func<Point, bool>[] All(IEnumerable<Condition> conditions) => [.. conditions.Select(condition => Of(condition, indexed))];
    }

    private static Func<Point, bool> Of(Condition condition, IReadOnlyDictionary<string, FieldType> indexed)
    {
        switch (condition.ConditionOneOfCase)
        {
            case Condition.ConditionOneOfOneofCase.Field:
                return FieldTest.Of(condition.Field, indexed);
            case Condition.ConditionOneOfOneofCase.IsEmpty:
                var empty = PayloadPath.Parse(condition.IsEmpty.Key);
                return point => empty.In(point.Payload).All(value => value.KindCase == Value.KindOneofCase.NullValue || value is { ListValue.Values.Count: 0 });
            case Condition.ConditionOneOfOneofCase.IsNull:
                var @null = PayloadPath.Parse(condition.IsNull.Key);
                return point => @null.In(point.Payload).Any(value => value.KindCase == Value.KindOneofCase.NullValue);
            case Condition.ConditionOneOfOneofCase.HasId:
                var ids = condition.HasId.HasId.Select(PointKey.Of).ToHashSet();
                return point => ids.Contains(point.Key);
            case Condition.ConditionOneOfOneofCase.Filter:
                return Of(condition.Filter, indexed);
            default:
                return _ => true;
        }
    }
}
