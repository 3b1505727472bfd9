namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Which payload indexes a filter would use.</summary>
internal static class IndexNeeds
{
    /// <summary>Fields, and the types of index that serve the condition on each.</summary>
    public static IEnumerable<(string Key, FieldType[] Types)> Of(Filter filter) =>
        filter.Must.Concat(filter.Should).Concat(filter.MustNot).Concat(filter.MinShould?.Conditions ?? []).SelectMany(Of);

    private static IEnumerable<(string, FieldType[])> Of(Condition condition) => condition.ConditionOneOfCase switch
    {
        Condition.ConditionOneOfOneofCase.Field => [(condition.Field.Key, Types(condition.Field))],
        Condition.ConditionOneOfOneofCase.IsEmpty => [(condition.IsEmpty.Key, Enum.GetValues<FieldType>())],
        Condition.ConditionOneOfOneofCase.IsNull => [(condition.IsNull.Key, Enum.GetValues<FieldType>())],
        Condition.ConditionOneOfOneofCase.Filter => Of(condition.Filter),
        _ => [],
    };

    private static FieldType[] Types(FieldCondition condition) => condition switch
    {
        { Range: not null } => [FieldType.Integer, FieldType.Float],
        { DatetimeRange: not null } => [FieldType.Datetime],
        { Match.MatchValueCase: Match.MatchValueOneofCase.Boolean } => [FieldType.Bool],
        { Match.MatchValueCase: Match.MatchValueOneofCase.Text } => [FieldType.Text],
        { Match.MatchValueCase: Match.MatchValueOneofCase.Integer or Match.MatchValueOneofCase.Integers or Match.MatchValueOneofCase.ExceptIntegers } => [FieldType.Integer],
        _ => [FieldType.Keyword],
    };
}
