using System.Diagnostics;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.WindowStore;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Makes the base model live, then runs the queued trainings one after the other on a thread of low priority.</summary>
internal sealed class TrainingLoop(TrainingQueue queue, TrainingJournal journal, BaseModel baseModel, IWindowStore windows, IModelStore models, SharedModels shared, EncoderOutputCache cache, ItemText itemText,
    TrainingPolicy policy, IOptions<TrainerOptions> options, IBus bus, TimeProvider clock, TrainerMetrics metrics, ILogger<TrainingLoop> logger, TrainingCheckpoints? checkpoints = null, WorkerDirectory? workers = null) : BackgroundService
{
    /// <summary>Progress is told at most this often, phase changes at once.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>What an earlier process left behind, and the request that goes on with it.</summary>
    private (Guid Request, Interruption What)? _interrupted;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if ((TrainingDevices.Problem(policy) ?? workers?.Problem(policy) ?? PicturePolicy.Problem(policy, shared.Pictures)) is { } missing) throw new InvalidDataException(missing);
        // Without a base model nothing can be served: a folder that does not load stops the start.
        await Task.Run(baseModel.Ensure, cancellationToken);
        journal.CloseInterrupted();
        await ResumeAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>A training of the encoder that was interrupted goes on, under a new id, before anything that is asked for from now on.</summary>
    private async Task ResumeAsync(CancellationToken cancellationToken)
    {
        if (checkpoints is null || await Task.Run(checkpoints.Find, cancellationToken) is not { } interruption) return;
        if (interruption.Problem is { } problem) logger.LogWarning("The checkpoint of an interrupted training cannot be used, the training is begun anew: {Problem}", problem);
        var request = new TrainEncoder(Guid.CreateVersion7(), TrainingTempo.Encoder, "resume", Continues: interruption.TrainingId);
        _interrupted = (request.TrainingId, interruption);
        journal.Queued(request);
        await queue.AddAsync(request, cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (QueuedTraining training in queue.ReadAllAsync(stoppingToken))
        {
            using Activity? activity = TrainerTracing.Start(training);
            try
            {
                object verdict = await VerdictAsync(training, stoppingToken);
                await bus.Publish(verdict, verdict.GetType(), stoppingToken);
            }
            finally
            {
                queue.Done(training);
            }
        }
    }

    private async Task<object> VerdictAsync(QueuedTraining training, CancellationToken stoppingToken)
    {
        TrainEncoder request = training.Request;
        long began = clock.GetTimestamp();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, training.Cancelled);
        CancellationToken token = either.Token;
        try
        {
            token.ThrowIfCancellationRequested();
            journal.Started(request);
            Interruption? interruption = _interrupted is { } left && left.Request == request.TrainingId ? left.What : null;
            if (interruption is not null && !checkpoints!.TryBegin(interruption)) return Ended(TrainingState.Failed, $"Training {interruption.TrainingId} was resumed {interruption.Attempts} times and never came further; it is given up.");
            Resumption? resumption = checkpoints is not null && request.Tempo == TrainingTempo.Encoder ? new Resumption(checkpoints, interruption, logger, stoppingToken) : null;
            TrainingPolicy its = interruption?.Training is { } begun ? begun.Policy : request.Policy is { } text ? options.Value.Override(PolicyReader.Read(new StringReader(text), "policy")) : policy;
            TrainingOutcome outcome = await TrainingThread.RunAsync(options.Value.ThreadCount, () =>
                new TrainingRun(windows, models, shared, cache, itemText, its, options.Value.Query(clock.GetUtcNow(), its), clock, resumption, workers).Run(request, Progress(request.Tempo, stoppingToken), token));
            logger.LogInformation("Training {TrainingId} ({Tempo}, {Reason}): {Decision}", request.TrainingId, request.Tempo, request.Reason, outcome.Decision);
            TrainingState state = outcome.Published is not null ? TrainingState.Published : outcome.Metrics is not null ? TrainingState.Refused : TrainingState.Skipped;
            RemoveCheckpoint(request);
            Told(state);
            journal.Ended(request, state, outcome.Decision, outcome);
            if (outcome.Published is not { } published) return new EncoderRejected(request.TrainingId, outcome.Decision);
            RemoveOldModels();
            return new EncoderPublished(request.TrainingId, published.Version, published.Model.Fingerprint, outcome.Decision);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            if (request.Tempo == TrainingTempo.Encoder) checkpoints?.ForgetAttempts();
            Told(TrainingState.Interrupted);
            journal.Ended(request, TrainingState.Interrupted, "The program was stopped before the training ended; nothing was changed." + (request.Tempo == TrainingTempo.Encoder && checkpoints?.Any == true ? " It goes on at the next start." : ""));
            throw;
        }
        catch (OperationCanceledException) when (training.Cancelled.IsCancellationRequested)
        {
            logger.LogInformation("Training {TrainingId} was cancelled", request.TrainingId);
            return Ended(TrainingState.Cancelled, "The training was cancelled; nothing was changed.");
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            // The loop's edge: one failed training must not end all later ones; what is live stays.
            logger.LogError(exception, "Training {TrainingId} failed", request.TrainingId);
            return Ended(TrainingState.Failed, $"The training failed: {exception.Message}");
        }

        EncoderRejected Ended(TrainingState state, string why)
        {
            RemoveCheckpoint(request);
            Told(state);
            journal.Ended(request, state, why);
            return new EncoderRejected(request.TrainingId, why);
        }

        void Told(TrainingState state)
        {
            metrics.Ended(request.Tempo, state, clock.GetElapsedTime(began));
            Activity.Current?.SetTag("beeformer.verdict", state.ToString().ToLowerInvariant());
        }
    }

    /// <summary>The training has come to its end, there is nothing to go on with.</summary>
    private void RemoveCheckpoint(TrainEncoder request)
    {
        // One that waits for its turn keeps its own.
        if (request.Tempo != TrainingTempo.Encoder || (_interrupted is { } left && left.Request != request.TrainingId)) return;
        _interrupted = null;
        try
        {
            checkpoints?.Remove();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            logger.LogWarning(failure, "The checkpoint of training {TrainingId}, which has ended, could not be removed", request.TrainingId);
        }
    }

    private void RemoveOldModels()
    {
        if (options.Value.KeepModels == 0) return;
        try
        {
            if (models.Retain(options.Value.KeepModels) is { Count: > 0 } removed) logger.LogInformation("Removed models {Versions}", string.Join(", ", removed));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            logger.LogWarning(failure, "Old models could not be removed; the next publication tries again");
        }
    }

    private ImmediateProgress<TrainingProgressed> Progress(TrainingTempo tempo, CancellationToken stoppingToken)
    {
        string? phase = null;
        long told = 0;
        return new ImmediateProgress<TrainingProgressed>(progress =>
        {
            if (progress.Phase == phase && progress.Fraction < 1 && clock.GetElapsedTime(told) < ProgressInterval) return;
            phase = progress.Phase;
            told = clock.GetTimestamp();
            metrics.Progressed(tempo, progress.Loss);
            journal.Progressed(progress);
            // Not awaited: the training does not wait for listeners, and a report that is lost is followed by another.
            _ = bus.Publish(progress, stoppingToken);
        });
    }
}
