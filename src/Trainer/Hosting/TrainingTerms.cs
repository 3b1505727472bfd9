using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Trainer;

/// <param name="tookOver">Another process had the lease before, and may have left trainings behind.</param>
internal delegate TrainingTerm BeginTerm(HeldLease lease, bool tookOver);

/// <summary>
/// Of all Trainers on one ModelStore one trains, the others stand by and take over when it stops, dies or hangs. If nobody trains when this one starts, it begins before its start has ended: without a base
/// model nothing can be served, and an encoder that does not load stops the start.
/// </summary>
internal sealed class TrainingTerms(ILeases leases, BeginTerm begin, BaseModel baseModel, TrainingPolicy policy, SharedModels shared, TimeProvider time, ILogger<TrainingTerms> logger, WorkerDirectory? workers = null) : BackgroundService
{
    public const string Lease = "trainer";

    private TrainingTerm? _first;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if ((TrainingDevices.Problem(policy) ?? workers?.Problem(policy) ?? PicturePolicy.Problem(policy, shared.Pictures)) is { } missing) throw new InvalidDataException(missing);
        _first = await TryBeginAsync(cancellationToken);
        if (_first is null)
        {
            await Task.Run(baseModel.Check, cancellationToken);
            logger.LogInformation("Another Trainer is at work; this one stands by");
        }
        await base.StartAsync(cancellationToken);
    }

    /// <returns>Null: another process has the lease, be it since a moment ago.</returns>
    private async Task<TrainingTerm?> TryBeginAsync(CancellationToken cancellationToken)
    {
        if (await Task.Run(() => leases.TryAcquire(Lease), cancellationToken) is not { } lease) return null;
        try
        {
            return await BeginAsync(lease, tookOver: false, cancellationToken);
        }
        catch (LeaseLostException)
        {
            return null;
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (Interlocked.Exchange(ref _first, null) is { } neverRun) await neverRun.DisposeAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Persistent.Pipeline("the work of the Trainer", time, logger).ExecuteAsync(async token =>
            {
                while (true)
                {
                    TrainingTerm? term = null;
                    try
                    {
                        term = Interlocked.Exchange(ref _first, null) ?? await TakeOverAsync(token);
                        await term.RunAsync(token);
                    }
                    catch (Exception lost) when (!token.IsCancellationRequested && (lost is LeaseLostException || term?.IsLost == true))
                    {
                        logger.LogWarning("The lease of training was lost: what ran here is stopped, another Trainer may have it. This one stands by");
                    }
                    finally
                    {
                        if (term is not null) await term.DisposeAsync();
                    }
                }
            }, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task<TrainingTerm> TakeOverAsync(CancellationToken cancellationToken)
    {
        HeldLease lease = await leases.AcquireAsync(Lease, cancellationToken);
        logger.LogInformation("No other Trainer is at work; this one takes over");
        return await BeginAsync(lease, tookOver: true, cancellationToken);
    }

    /// <exception cref="LeaseLostException">The lease was lost meanwhile.</exception>
    private async Task<TrainingTerm> BeginAsync(HeldLease lease, bool tookOver, CancellationToken cancellationToken)
    {
        TrainingTerm? term = null;
        try
        {
            term = await Task.Run(() => begin(lease, tookOver), cancellationToken);
            await term.StartAsync(cancellationToken);
            return term;
        }
        catch (Exception failure)
        {
            bool lost = lease.Lost.IsCancellationRequested;
            await (term?.DisposeAsync() ?? lease.DisposeAsync());
            if (lost && failure is not LeaseLostException && !cancellationToken.IsCancellationRequested) throw new LeaseLostException($"The lease {Lease} was lost before the Trainer was at work: {failure.Message}");
            throw;
        }
    }
}
