namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Checks of a filter that the server makes before anything else.</summary>
internal static class FilterBody
{
    public static void Check(Filter? filter, string field)
    {
        if (filter is null) return;
        Check(filter.Should, field + ".should");
        Check(filter.Must, field + ".must");
        Check(filter.MustNot, field + ".must_not");
        if (filter.MinShould is not { } some) return;
        Check(some.Conditions, field + ".min_should.conditions");
        if (some.MinCount == 0) throw Refusal.Body(field + ".min_should.min_count", "min_count must be greater than 0");
    }

    private static void Check(IEnumerable<Condition> conditions, string field)
    {
        foreach (var (i, condition) in conditions.Index())
        {
            if (condition.Field is { Match: null, Range: null, DatetimeRange: null })
                throw Refusal.Body($"{field}[{i}].condition_one_of.match", "Validation error: At least one field condition must be specified [{}]");
            Check(condition.Filter, $"{field}[{i}].condition_one_of");
        }
    }
}
