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
    TrainingPolicy policy, IOptions<TrainerOptions> options, IBus bus, TimeProvider clock, ILogger<TrainingLoop> logger) : BackgroundService
{
    /// <summary>Progress is told at most this often, phase changes at once.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (TrainingDevices.Problem(policy) is { } missing) throw new InvalidDataException(missing);
        // Without a base model nothing can be served: a folder that does not load stops the start.
        await Task.Run(baseModel.Ensure, cancellationToken);
        journal.CloseInterrupted();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (QueuedTraining training in queue.ReadAllAsync(stoppingToken))
        {
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
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, training.Cancelled);
        CancellationToken token = either.Token;
        try
        {
            token.ThrowIfCancellationRequested();
            journal.Started(request);
            TrainingPolicy its = request.Policy is { } text ? options.Value.Override(PolicyReader.Read(new StringReader(text), "policy")) : policy;
            TrainingOutcome outcome = await TrainingThread.RunAsync(options.Value.ThreadCount, () =>
                new TrainingRun(windows, models, shared, cache, itemText, its, options.Value.Query(clock.GetUtcNow()), clock).Run(request, Progress(stoppingToken), token));
            logger.LogInformation("Training {TrainingId} ({Tempo}, {Reason}): {Decision}", request.TrainingId, request.Tempo, request.Reason, outcome.Decision);
            TrainingState state = outcome.Published is not null ? TrainingState.Published : outcome.Metrics is not null ? TrainingState.Refused : TrainingState.Skipped;
            journal.Ended(request, state, outcome.Decision, outcome);
            if (outcome.Published is not { } published) return new EncoderRejected(request.TrainingId, outcome.Decision);
            RemoveOldModels();
            return new EncoderPublished(request.TrainingId, published.Version, published.Model.Fingerprint, outcome.Decision);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            journal.Ended(request, TrainingState.Interrupted, "The program was stopped before the training ended; nothing was changed.");
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
            journal.Ended(request, state, why);
            return new EncoderRejected(request.TrainingId, why);
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

    private ImmediateProgress<TrainingProgressed> Progress(CancellationToken stoppingToken)
    {
        string? phase = null;
        long told = 0;
        return new ImmediateProgress<TrainingProgressed>(progress =>
        {
            if (progress.Phase == phase && progress.Fraction < 1 && clock.GetElapsedTime(told) < ProgressInterval) return;
            phase = progress.Phase;
            told = clock.GetTimestamp();
            journal.Progressed(progress);
            // Not awaited: the training does not wait for listeners, and a report that is lost is followed by another.
            _ = bus.Publish(progress, stoppingToken);
        });
    }
}
