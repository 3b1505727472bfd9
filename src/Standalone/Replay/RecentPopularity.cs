namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>
/// The popularity that unknown users are served, as an array over the catalogue, for rankings by the million: Σ weight · 2^(−age / half-life).
/// Scores are kept against a reference time that is moved now and then, so they never overflow; only their order means something.
/// </summary>
internal sealed class RecentPopularity(int items, TimeSpan halfLife)
{
    private const double LargestExponent = 40;

    private readonly float[] scores = [.. Enumerable.Repeat(float.NegativeInfinity, items)];
    private long? referenceMs;

    /// <summary>Minus infinity for what nobody has touched yet: it is in no ranking.</summary>
    public ReadOnlySpan<float> Scores => scores;

    /// <summary>What a score must be multiplied by to be the decayed number of interactions at that time.</summary>
    public double Scale(long timestampMs) => referenceMs is { } reference ? Math.Pow(2, (reference - timestampMs) / halfLife.TotalMilliseconds) : 0;

    public void Add(int item, double weight, long timestampMs)
    {
        if (weight <= 0) return;
        referenceMs ??= timestampMs;
        double exponent = (timestampMs - referenceMs.Value) / halfLife.TotalMilliseconds;
        if (exponent > LargestExponent)
        {
            float factor = (float)Math.Pow(2, -exponent);
            for (int n = 0; n < scores.Length; n++) scores[n] *= factor;
            referenceMs = timestampMs;
            exponent = 0;
        }
        if (float.IsNegativeInfinity(scores[item])) scores[item] = 0;
        scores[item] += (float)(weight * Math.Pow(2, exponent));
    }
}
