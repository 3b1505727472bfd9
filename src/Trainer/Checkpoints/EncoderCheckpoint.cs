using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Keeps one encoder training's state on disk while it runs. What cannot be written is logged, and the training goes on.</summary>
/// <param name="training">What it is; the counters are filled in with each save.</param>
/// <param name="from">The file to go on from; null: it begins.</param>
/// <param name="stopping">The program is being stopped: a training that ends for that is to be resumed.</param>
internal sealed class EncoderCheckpoint(TrainingCheckpoints checkpoints, CheckpointedTraining training, string? from, ILogger logger, CancellationToken stopping)
{
    private TimeSpan _savedAt = training.Elapsed;
    private bool _kept = from is not null;

    /// <summary>Why there was nothing to go on from although there should have been.</summary>
    public string? Problem { get; set; }

    /// <returns>Time that it has run before, and whether its steps had ended; null: it begins.</returns>
    public (TimeSpan Elapsed, bool Ended)? Resume(EncoderTraining state, EarlyStopping? validation)
    {
        if (from is null) return null;
        try
        {
            if (training.Validation is not null) validation?.Resume(training.Validation);
            TrainingCheckpoints.Restore(from, Parts(state, validation));
            state.Resume(training.Counters);
            return (training.Elapsed, training.Ended);
        }
        catch (Exception damage) when (damage is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Problem = damage.Message;
            validation?.Resume(new EarlyStoppingState());
            _savedAt = TimeSpan.Zero;
            return null;
        }
    }

    public void SaveWhenDue(EncoderTraining state, EarlyStopping? validation, TimeSpan elapsed)
    {
        if (elapsed - _savedAt >= training.Policy.CheckpointEvery) Save(state, validation, elapsed, ended: false);
    }

    public void SaveAtStop(EncoderTraining state, EarlyStopping? validation, TimeSpan elapsed)
    {
        if (stopping.IsCancellationRequested) Save(state, validation, elapsed, ended: false);
    }

    /// <summary>A training that was too short for a checkpoint is not worth one now.</summary>
    public void SaveAtEnd(EncoderTraining state, EarlyStopping? validation, TimeSpan elapsed)
    {
        if (_kept) Save(state, validation, elapsed, ended: true);
    }

    private void Save(EncoderTraining state, EarlyStopping? validation, TimeSpan elapsed, bool ended)
    {
        _savedAt = elapsed;
        try
        {
            checkpoints.Save(training with { Counters = state.Counters, Elapsed = elapsed, Ended = ended, Validation = validation?.State }, Parts(state, validation));
            _kept = true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or OverflowException)
        {
            logger.LogWarning(failure, "The checkpoint of training {TrainingId} could not be written; the training goes on", training.TrainingId);
        }
    }

    private static StatePart[] Parts(EncoderTraining state, EarlyStopping? validation) => [.. state.Weights, .. state.Moments, .. validation?.Kept ?? []];
}
