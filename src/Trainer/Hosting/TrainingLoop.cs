using System.Diagnostics;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Makes the base model live, then runs the trainings that wait, one after the other, on a thread of low priority. All of it under a lease: nobody else does.</summary>
/// <param name="models">Written to under the lease.</param>
/// <param name="tookOver">Another process had the lease before: what it was asked for by hand and did not end is begun anew here.</param>
internal sealed class TrainingLoop(TrainingQueue queue, TrainingJournal journal, BaseModel baseModel, IWindowStore windows, IModelStore models, SharedModels shared, EncoderOutputCache cache, ItemText itemText,
    TrainingPolicy policy, IOptions<TrainerOptions> options, ITrainingRecords records, HeldLease lease, bool tookOver, PublishControlMessage publish, TimeProvider clock, TrainerMetrics metrics, ILogger<TrainingLoop> logger,
    TrainingCheckpoints? checkpoints = null, WorkerDirectory? workers = null) : BackgroundService
{
    /// <summary>Progress is told at most this often, phase changes at once.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>What an earlier process left behind, and the request that goes on with it.</summary>
    private (Guid Request, Interruption What)? _interrupted;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Without a base model nothing can be served: a folder that does not load stops the start.
        await Task.Run(baseModel.Ensure, cancellationToken);
        Interruption? left = checkpoints is null ? null : await Task.Run(checkpoints.Find, cancellationToken);
        Close(anew: tookOver, left?.TrainingId);
        if (left is not null) Resume(left);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Ends what runs by its record and not here. Its checkpoint lies with the process that ran it: what somebody asked for by hand is begun anew, once; for the rest there are the triggers.</summary>
    private void Close(bool anew, Guid? resumed = null)
    {
        foreach (TrainingRecord dead in journal.CloseInterrupted())
        {
            logger.LogWarning("Training {TrainingId} was not ended by whoever ran it; its record is closed", dead.Id);
            if (anew && dead is { Reason: "manual", CancelRequested: false } && dead.Id != resumed) queue.Add(new TrainEncoder(Guid.CreateVersion7(), Tempo(dead), "resume", dead.Policy, dead.Id));
        }
    }

    /// <summary>A training of the encoder that was interrupted goes on, under a new id, before anything else, unless another process did so meanwhile.</summary>
    private void Resume(Interruption left)
    {
        TrainingRecord[] continuing = left.TrainingId is { } id ? [.. records.List().Where(record => record.Continues == id || (record.Id == id && record.Ended))] : [];
        if (continuing.Any(record => record is { Ended: true, State: not TrainingState.Interrupted }))
        {
            RemoveCheckpoint(continuing[0].Id);
            return;
        }
        if (left.Problem is { } problem) logger.LogWarning("The checkpoint of an interrupted training cannot be used, the training is begun anew: {Problem}", problem);
        Guid request = continuing.FirstOrDefault(record => record.State == TrainingState.Queued)?.Id ?? Guid.CreateVersion7();
        _interrupted = (request, left);
        queue.Add(new TrainEncoder(request, TrainingTempo.Encoder, "resume", continuing.FirstOrDefault(record => record.Id == left.TrainingId)?.Policy, left.TrainingId));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                Close(anew: true); // of one that lost its lease without knowing so yet
                while (queue.Next() is { } next)
                {
                    stoppingToken.ThrowIfCancellationRequested();
                    if (next.CancelRequested || journal.TryStart(next.Id)) await RunAsync(next, stoppingToken);
                }
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                logger.LogWarning(failure, "The records of trainings could not be looked at; the next look follows");
            }
            await queue.WaitAsync(options.Value.CheckInterval, stoppingToken);
        }
    }

    private async Task RunAsync(TrainingRecord record, CancellationToken stoppingToken)
    {
        var request = new TrainEncoder(record.Id, Tempo(record), record.Reason, record.Policy, record.Continues);
        using Activity? activity = TrainerTracing.Start(request, queue.TakeTrace(record.Id));
        using var cancellation = new CancellationTokenSource();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        if (record.CancelRequested) await cancellation.CancelAsync();
        Task watching = WatchAsync(record.Id, cancellation, ended.Token);
        object verdict;
        try
        {
            verdict = await VerdictAsync(request, cancellation.Token, stoppingToken);
        }
        finally
        {
            await ended.CancelAsync();
            await watching;
        }
        await publish(verdict, stoppingToken);
    }

    /// <summary>Cancels when the record says so.</summary>
    private async Task WatchAsync(Guid id, CancellationTokenSource cancellation, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            try
            {
                if (queue.IsCancelled(id)) await cancellation.CancelAsync();
                else await queue.WaitAsync(options.Value.CheckInterval, ended);
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                logger.LogWarning(failure, "It could not be seen whether training {TrainingId} was cancelled; the next look follows", id);
                await Task.Delay(options.Value.CheckInterval, clock, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static TrainingTempo Tempo(TrainingRecord record) => record.Tempo == LastTraining.Name(TrainingTempo.Encoder) ? TrainingTempo.Encoder : TrainingTempo.Head;

    private async Task<object> VerdictAsync(TrainEncoder request, CancellationToken cancelled, CancellationToken stoppingToken)
    {
        long began = clock.GetTimestamp();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, cancelled);
        CancellationToken token = either.Token;
        try
        {
            token.ThrowIfCancellationRequested();
            Interruption? interruption = _interrupted is { } left && left.Request == request.TrainingId ? left.What : null;
            if (interruption is not null && !checkpoints!.TryBegin(interruption)) return Ended(TrainingState.Failed, $"Training {interruption.TrainingId} was resumed {interruption.Attempts} times and never came further; it is given up.");
            Resumption? resumption = checkpoints is not null && request.Tempo == TrainingTempo.Encoder ? new Resumption(checkpoints, interruption, logger, stoppingToken) : null;
            TrainingPolicy its = interruption?.Training is { } begun ? begun.Policy : request.Policy is { } text ? options.Value.Override(PolicyReader.Read(new StringReader(text), "policy")) : policy;
            TrainingOutcome outcome = await TrainingThread.RunAsync(options.Value.ThreadCount, () =>
                new TrainingRun(windows, models, shared, cache, itemText, its, options.Value.Query(clock.GetUtcNow(), its), clock, resumption, workers).Run(request, Progress(request.Tempo, stoppingToken), token));
            logger.LogInformation("Training {TrainingId} ({Tempo}, {Reason}): {Decision}", request.TrainingId, request.Tempo, request.Reason, outcome.Decision);
            TrainingState state = outcome.Published is not null ? TrainingState.Published : outcome.Metrics is not null ? TrainingState.Refused : TrainingState.Skipped;
            RemoveCheckpoint(request.TrainingId, request.Tempo);
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
            if (lease.Lost.IsCancellationRequested) throw; // whoever comes next closes the record, and knows by it what to begin anew
            journal.Ended(request, TrainingState.Interrupted, "The program was stopped before the training ended; nothing was changed." + (request.Tempo == TrainingTempo.Encoder && checkpoints?.Any == true ? " It goes on at the next start." : ""));
            throw;
        }
        catch (OperationCanceledException) when (cancelled.IsCancellationRequested)
        {
            logger.LogInformation("Training {TrainingId} was cancelled", request.TrainingId);
            return Ended(TrainingState.Cancelled, "The training was cancelled; nothing was changed.");
        }
        catch (LeaseLostException)
        {
            Told(TrainingState.Interrupted);
            throw; // the term is over; the training has not failed
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            // The loop's edge: one failed training must not end all later ones; what is live stays.
            logger.LogError(exception, "Training {TrainingId} failed", request.TrainingId);
            return Ended(TrainingState.Failed, $"The training failed: {exception.Message}");
        }

        EncoderRejected Ended(TrainingState state, string why)
        {
            RemoveCheckpoint(request.TrainingId, request.Tempo);
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
    private void RemoveCheckpoint(Guid training, TrainingTempo tempo = TrainingTempo.Encoder)
    {
        // One that waits for its turn keeps its own.
        if (tempo != TrainingTempo.Encoder || (_interrupted is { } left && left.Request != training)) return;
        _interrupted = null;
        try
        {
            checkpoints?.Remove();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            logger.LogWarning(failure, "The checkpoint of training {TrainingId}, which has ended, could not be removed", training);
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
            _ = publish(progress, stoppingToken);
        });
    }
}
