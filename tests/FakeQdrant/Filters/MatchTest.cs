namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Matching of one value; types are strict.</summary>
internal static class MatchTest
{
    /// <exception cref="Grpc.Core.RpcException">The match says nothing.</exception>
    public static Func<Value, bool> Of(Match match)
    {
        switch (match.MatchValueCase)
        {
            case Match.MatchValueOneofCase.Keyword: return value => Text(value) == match.Keyword;
            case Match.MatchValueOneofCase.Integer: return value => Integer(value) == match.Integer;
            case Match.MatchValueOneofCase.Boolean: return value => value.KindCase == Value.KindOneofCase.BoolValue && value.BoolValue == match.Boolean;
            case Match.MatchValueOneofCase.Text: return value => Text(value)?.Contains(match.Text, StringComparison.Ordinal) == true;
            case Match.MatchValueOneofCase.Keywords:
                var keywords = match.Keywords.Strings.ToHashSet();
                return value => Text(value) is { } text && keywords.Contains(text);
            case Match.MatchValueOneofCase.Integers:
                var integers = match.Integers.Integers.ToHashSet();
                return value => Integer(value) is { } integer && integers.Contains(integer);
            case Match.MatchValueOneofCase.ExceptKeywords:
                var notKeywords = match.ExceptKeywords.Strings.ToHashSet();
                return value => value.KindCase != Value.KindOneofCase.NullValue && !(Text(value) is { } text && notKeywords.Contains(text));
            case Match.MatchValueOneofCase.ExceptIntegers:
                var notIntegers = match.ExceptIntegers.Integers.ToHashSet();
                return value => value.KindCase != Value.KindOneofCase.NullValue && !(Integer(value) is { } integer && notIntegers.Contains(integer));
            default: throw Refusal.Invalid("Malformed Match condition");
        }
    }

    private static string? Text(Value value) => value.KindCase == Value.KindOneofCase.StringValue ? value.StringValue : null;

    private static long? Integer(Value value) => value.KindCase == Value.KindOneofCase.IntegerValue ? value.IntegerValue : null;
}
