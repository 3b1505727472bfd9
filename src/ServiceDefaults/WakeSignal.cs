using System.Diagnostics;
using System.Threading.Channels;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>Lets a message hurry a loop that would otherwise look by itself at intervals; so a lost message delays and never harms. One waiter.</summary>
public sealed class WakeSignal
{
    private readonly Channel<bool> _pending = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Activity? _waker;

    /// <summary>Ends the current wait, or the next one at once.</summary>
    public void Wake()
    {
        if (Activity.Current is { } waker) Volatile.Write(ref _waker, waker);
        _pending.Writer.TryWrite(true);
    }

    /// <summary>The trace of whoever woke last, for what is done about it; default: nobody, or nobody traced, since this was asked last.</summary>
    public ActivityContext TakeTrace() => Interlocked.Exchange(ref _waker, null)?.Context ?? default;

    /// <summary>Waits until woken, at most <paramref name="longest"/>.</summary>
    public async Task WaitAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await _pending.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The time is up: an ordinary look.
        }
    }
}
