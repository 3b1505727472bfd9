using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.ModelStore.Tests;

/// <summary>A clock that stands still while the program computes: who moves it on knows the wait that was begun last.</summary>
internal sealed class WaitedForClock : FakeTimeProvider
{
    private readonly Lock _gate = new();
    private TimeSpan? _wait;

    /// <summary>The wait begun last, unless it was taken; null: none since.</summary>
    public TimeSpan? Wait
    {
        get
        {
            lock (_gate) return _wait;
        }
    }

    public void TakeWait()
    {
        lock (_gate) _wait = null;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(base.CreateTimer(callback, state, dueTime, period), this);
        Begin(dueTime);
        return timer;
    }

    private void Begin(TimeSpan wait)
    {
        if (wait <= TimeSpan.Zero) return; // infinite ones among them
        lock (_gate) _wait = wait;
    }

    private sealed class Timer(ITimer timer, WaitedForClock clock) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            bool changed = timer.Change(dueTime, period);
            clock.Begin(dueTime);
            return changed;
        }

        public void Dispose() => timer.Dispose();
        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
