using System.CommandLine.Parsing;
using System.Globalization;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>Spans of time as people write them: <c>7d</c>, <c>12h</c>, <c>30m</c>.</summary>
internal static class Durations
{
    public static TimeSpan Parse(ArgumentResult argument)
    {
        string text = argument.Tokens.Count > 0 ? argument.Tokens[^1].Value : "";
        if (TryParse(text) is { } span) return span;
        argument.AddError($"'{text}' is no period; expected a number with d, h or m, as in 7d.");
        return default;
    }

    /// <summary>A time to wait, as long as people want to read it: <c>42 s</c>, <c>7 min</c>, <c>2.5 h</c>.</summary>
    public static string Of(double seconds) => seconds switch
    {
        < 100 => FormattableString.Invariant($"{seconds:F0} s"),
        < 6_000 => FormattableString.Invariant($"{seconds / 60:F0} min"),
        _ => FormattableString.Invariant($"{seconds / 3_600:F1} h"),
    };

    public static TimeSpan? TryParse(string text)
    {
        if (text.Length < 2 || !double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) || number <= 0 || number > 36_500) return null;
        TimeSpan? span = text[^1] switch
        {
            'd' => TimeSpan.FromDays(number),
            'h' => TimeSpan.FromHours(number),
            'm' => TimeSpan.FromMinutes(number),
            _ => null,
        };
        return span >= TimeSpan.FromMinutes(1) ? span : null;
    }
}
