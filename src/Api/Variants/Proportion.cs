namespace BeeFormer.Streaming.Api;

/// <summary>A share that was counted, and how far chance may have taken it.</summary>
/// <param name="Low">Lower end of Wilson's 95 % interval.</param>
/// <param name="High">Its upper end.</param>
internal sealed record Proportion(double Value, double Low, double High)
{
    private const double Z = 1.959963984540054;

    /// <param name="part">0 to <paramref name="whole"/>.</param>
    /// <returns>Null: nothing was counted.</returns>
    public static Proportion? Of(long part, long whole)
    {
        if (whole == 0) return null;
        double n = whole, share = part / n, spread = Z * Math.Sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)), scale = 1 + Z * Z / n, centre = share + Z * Z / (2 * n);
        return new Proportion(share, Math.Max(0, (centre - spread) / scale), Math.Min(1, (centre + spread) / scale));
    }
}
