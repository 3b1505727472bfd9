using System.Globalization;

namespace BeeFormer.Streaming.Standalone.Commands;

internal static class Figures
{
    /// <summary>A measure between 0 and 1: four digits, as in the literature.</summary>
    public static string Of(double measure) => measure.ToString("0.0000", CultureInfo.InvariantCulture);
}
