using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Clocks;

/// <summary>
/// A clock of leases that stands still while somebody looks, takes or renews, and goes on by one look when a contender waits for its next one. One that went on meanwhile would let a lease run out
/// during the very write that takes it, where the disk is slow.
/// </summary>
internal sealed class LookClock : FakeTimeProvider
{
    /// <summary>Between two looks of a contender (<c>LeaseTimes</c>).</summary>
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    private int _waiting;

    public LookClock()
    {
    }

    public LookClock(DateTimeOffset start) : base(start)
    {
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime == Look) Interlocked.Increment(ref _waiting);
        return timer;
    }

    public void AdvanceIfWaiting()
    {
        if (Interlocked.Exchange(ref _waiting, 0) > 0) Advance(Look);
    }
}
