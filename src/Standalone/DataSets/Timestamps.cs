using System.Globalization;

namespace BeeFormer.Streaming.Standalone.DataSets;

/// <summary>ISO 8601, Unix seconds or Unix milliseconds, told apart by size: seconds stay below 10^11 until the year 5138, milliseconds are above since 1973.</summary>
internal static class Timestamps
{
    private const double FirstMillisecond = 1e11;
    private const double LastMillisecond = 253_402_300_799_999; // the end of the year 9999

    /// <returns>UTC milliseconds; null when the text is no time.</returns>
    public static long? Parse(string text)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
        {
            if (!double.IsFinite(number) || Math.Abs(number) > LastMillisecond) return null;
            return (long)Math.Round(Math.Abs(number) < FirstMillisecond ? number * 1000 : number);
        }
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time)
            ? time.ToUnixTimeMilliseconds()
            : null;
    }
}
