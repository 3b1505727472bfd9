using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Indexer;

/// <summary>
/// Of all Indexers on one ModelStore one indexes, the others stand by: a build has to know which events reach its collection by themselves, and only one process can. Who stands by takes over when the lease is given
/// back or has run out, from the positions that were committed.
/// </summary>
internal sealed class Indexing(ILeases leases, Func<IndexingTerm> begin, TimeProvider time, ILogger<Indexing> logger) : BackgroundService
{
    public const string Lease = "indexer";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var persistent = Persistent.Pipeline("taking the Indexer's lease", time, logger);
        while (!stoppingToken.IsCancellationRequested)
        {
            await using HeldLease lease = await persistent.ExecuteAsync(async token => await leases.AcquireAsync(Lease, token), stoppingToken);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lease.Lost);
            await using IndexingTerm term = begin();
            try
            {
                await term.RunAsync(either.Token);
            }
            catch (OperationCanceledException) when (either.IsCancellationRequested)
            {
                if (!stoppingToken.IsCancellationRequested) logger.LogWarning("The lease of indexing was lost; another Indexer may have it");
            }
        }
    }
}

/// <summary>The two halves of indexing and what they share, from taking the lease to giving it back.</summary>
internal sealed class IndexingTerm(IndexTargets targets, IndexReconciliation reconciliation, IncrementalIndexing incremental) : IAsyncDisposable
{
    /// <summary>Runs until cancelled, or until one half fails for good.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await reconciliation.StartAsync(cancellationToken);
        await incremental.StartAsync(cancellationToken);
        await await Task.WhenAny(reconciliation.ExecuteTask!, incremental.ExecuteTask!);
        cancellationToken.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync()
    {
        await incremental.StopAsync(CancellationToken.None);
        await reconciliation.StopAsync(CancellationToken.None);
        incremental.Dispose();
        reconciliation.Dispose();
        targets.Dispose();
    }
}
