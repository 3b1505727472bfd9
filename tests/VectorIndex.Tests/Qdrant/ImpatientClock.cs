using System.Collections.Concurrent;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>A clock on which every wait is over at once; it moves on by as much and remembers it.</summary>
internal sealed class ImpatientClock : TimeProvider
{
    private readonly ConcurrentQueue<TimeSpan> waits = new();
    private long ticks = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).UtcTicks;

    /// <summary>In their order.</summary>
    public IReadOnlyList<TimeSpan> Waits => [.. waits];

    /// <summary>Called in the place of the wait.</summary>
    public Func<int, Task> OnWait { get; set; } = _ => Task.CompletedTask;

    /// <summary>Waits as long as this, or longer, do not end.</summary>
    public TimeSpan Never { get; init; } = TimeSpan.MaxValue;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime == Timeout.InfiniteTimeSpan) return System.CreateTimer(callback, state, dueTime, period);
        if (dueTime >= Never) return new Timer();
        Interlocked.Add(ref ticks, dueTime.Ticks);
        waits.Enqueue(dueTime);
        int number = waits.Count;
        _ = Task.Run(async () =>
        {
            await OnWait(number);
            callback(state);
        });
        return new Timer();
    }

    private sealed class Timer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;
        public void Dispose() { }
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
