namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Every look at it is one step later.</summary>
internal sealed class SteppingClock(TimeSpan step) : TimeProvider
{
    private long _ticks;
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    public override long GetTimestamp() => _ticks += step.Ticks;
}
