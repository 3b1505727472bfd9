namespace BeeFormer.Streaming.Trainer;

/// <summary>How fast something of a known size goes on.</summary>
/// <param name="done">What was done before the clock ran.</param>
internal sealed class Pace(TimeProvider clock, int done)
{
    private readonly long _began = clock.GetTimestamp();

    /// <returns>Null: not known yet.</returns>
    public double? ItemsPerSecond(int now) => now > done && clock.GetElapsedTime(_began) is { Ticks: > 0 } elapsed ? (now - done) / elapsed.TotalSeconds : null;

    /// <inheritdoc cref="ItemsPerSecond"/>
    public TimeSpan? Remaining(int now, int all) => now > done ? clock.GetElapsedTime(_began) / (now - done) * (all - now) : null;
}
