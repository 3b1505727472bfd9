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
        if (await Task.Run(() => leases.TryAcquire(Lease), cancellationToken) is { } lease) _first = await BeginAsync(lease, tookOver: false, cancellationToken);
        else
        {
            await Task.Run(baseModel.Check, cancellationToken);
            logger.LogInformation("Another Trainer is at work; this one stands by");
        }
        await base.StartAsync(cancellationToken);
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
                    await using TrainingTerm term = Interlocked.Exchange(ref _first, null) ?? await TakeOverAsync(token);
                    try
                    {
                        await term.RunAsync(token);
                    }
                    catch (Exception lost) when (!token.IsCancellationRequested && (lost is LeaseLostException || term.IsLost))
                    {
                        logger.LogWarning("The lease of training was lost: what ran here is stopped, another Trainer may have it. This one stands by");
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

    private async Task<TrainingTerm> BeginAsync(HeldLease lease, bool tookOver, CancellationToken cancellationToken)
    {
        TrainingTerm? term = null;
        try
        {
            term = await Task.Run(() => begin(lease, tookOver), cancellationToken);
            await term.StartAsync(cancellationToken);
            return term;
        }
        catch
        {
            await (term?.DisposeAsync() ?? lease.DisposeAsync());
            throw;
        }
    }
}
