using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>What a Trainer does from taking the lease to giving it back.</summary>
internal sealed class TrainingTerm(HeldLease lease, TrainingLoop loop, TrainingTriggers triggers, ErasureMarking marking, TimeProvider time) : IAsyncDisposable
{
    public bool IsLost => lease.Lost.IsCancellationRequested;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await loop.StartAsync(cancellationToken);
        await triggers.StartAsync(cancellationToken);
        await marking.StartAsync(cancellationToken);
    }

    /// <summary>Runs until cancelled, until the lease is lost, or until a part fails for good.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
        Task end = Task.Delay(Timeout.InfiniteTimeSpan, time, either.Token);
        await await Task.WhenAny(end, loop.ExecuteTask!, triggers.ExecuteTask!, marking.ExecuteTask!);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            foreach (var part in (Microsoft.Extensions.Hosting.BackgroundService[])[marking, triggers, loop])
            {
                await part.StopAsync(CancellationToken.None);
                part.Dispose();
            }
        }
        finally
        {
            await lease.DisposeAsync();
        }
    }
}
