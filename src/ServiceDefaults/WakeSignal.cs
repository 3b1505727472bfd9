using System.Threading.Channels;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>Lets a message hurry a loop that would otherwise look by itself at intervals; so a lost message delays and never harms. One waiter.</summary>
public sealed class WakeSignal
{
    private readonly Channel<bool> _pending = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Ends the current wait, or the next one at once.</summary>
    public void Wake() => _pending.Writer.TryWrite(true);

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
