namespace BeeFormer.Streaming.ModelStore;

/// <summary>A lease that is ours until <see cref="Lost"/>. Renews itself; disposal gives it back at once.</summary>
public sealed class HeldLease : IAsyncDisposable
{
    private readonly ILeaseFiles files;
    private readonly TimeProvider time;
    private readonly IDisposable? presence;
    private readonly CancellationTokenSource lost = new(), ended = new();
    private readonly PeriodicTimer renewals;
    private readonly ITimer deadline;
    private readonly Task renewing;
    private LeaseRecord record;
    private int disposed;

    /// <param name="began">Timestamp of <paramref name="time"/> from before the record was written.</param>
    internal HeldLease(ILeaseFiles files, string name, long token, LeaseRecord record, IDisposable? presence, TimeProvider time, long began)
    {
        (this.files, Name, Token, this.record, this.presence, this.time) = (files, name, token, record, presence, time);
        renewals = new PeriodicTimer(LeaseTimes.Renewal, time);
        deadline = time.CreateTimer(_ => Lose(), null, SureFor(began), Timeout.InfiniteTimeSpan);
        renewing = RenewAsync();
    }

    public string Name { get; }

    /// <summary>Rises with every holder: what an earlier one still wants to write is known by it.</summary>
    public long Token { get; }

    /// <summary>Cancelled as soon as it is not certain any more that nobody else holds the lease.</summary>
    public CancellationToken Lost => lost.Token;

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 1) return;
        Lose(); // who still works under it stops
        await ended.CancelAsync();
        await renewing;
        await deadline.DisposeAsync();
        renewals.Dispose();
        ended.Dispose();
        try
        {
            await Task.Run(() => files.TryRewrite(Name, Token, (record with { Released = true }).ToBytes()));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It expires instead.
        }
        presence?.Dispose();
    }

    /// <summary>Somebody has seen a higher token.</summary>
    internal void Lose() => lost.Cancel();

    private async Task RenewAsync()
    {
        try
        {
            while (await renewals.WaitForNextTickAsync(ended.Token) && !lost.IsCancellationRequested)
            {
                long began = time.GetTimestamp();
                try
                {
                    if (!Renew()) Lose();
                    else deadline.Change(SureFor(began), Timeout.InfiniteTimeSpan);
                }
                catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
                {
                    // The next attempt may succeed; the deadline stands.
                }
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
        }
    }

    private bool Renew()
    {
        if (files.Highest(Name) > Token) return false;
        record = record with { Renewals = record.Renewals + 1 };
        return files.TryRewrite(Name, Token, record.ToBytes());
    }

    private TimeSpan SureFor(long began) => TimeSpan.FromTicks(Math.Max(0, (LeaseTimes.Sure - time.GetElapsedTime(began)).Ticks));
}
