using System.Globalization;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Text of a payload as a time.</summary>
internal static class PayloadTime
{
    private static readonly string[] Formats =
        [.. from separator in new[] { "T", " " } from zone in new[] { "K", "" } select $"yyyy-MM-dd'{separator}'HH':'mm':'ss.FFFFFFF{zone}", "yyyy-MM-dd HH':'mm", "yyyy-MM-dd"];

    /// <summary>Without an offset: UTC. Null when it is no time.</summary>
    public static DateTimeOffset? Parse(string text) =>
        DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
