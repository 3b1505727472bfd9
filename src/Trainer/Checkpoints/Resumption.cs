using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Where trainings of the encoder leave their state, and what an earlier one has left there.</summary>
/// <param name="Interruption">To be gone on with; null: a training begins.</param>
/// <param name="Stopping">The program is being stopped.</param>
internal sealed record Resumption(TrainingCheckpoints Checkpoints, Interruption? Interruption, ILogger Logger, CancellationToken Stopping)
{
    /// <param name="start">The encoder that the training begins with.</param>
    /// <returns>Null: the policy wants none.</returns>
    public EncoderCheckpoint? Checkpoint(TrainEncoder request, TrainingInput input, ModelVersion live, TrainingPolicy policy, ItemEncoder start)
    {
        if (policy.CheckpointEvery == TimeSpan.Zero) return null;
        var training = new CheckpointedTraining(request.TrainingId, live.Value, start.Fingerprint.Value, input.Window.Rows.ContentHash, input.Query, input.ItemOffsets, input.CatalogueHash, policy,
            new EncoderCounters(0, 0, 0, 1), TimeSpan.Zero, Ended: false, Validation: null);
        if (input.Resumed is not { } resumed) return new EncoderCheckpoint(Checkpoints, training, from: null, Logger, Stopping);
        if (resumed.Start != training.Start)
            return new EncoderCheckpoint(Checkpoints, training, from: null, Logger, Stopping) { Problem = "the encoder that it began with is not the same any more." };
        return new EncoderCheckpoint(Checkpoints, resumed with { TrainingId = request.TrainingId }, Interruption!.File, Logger, Stopping);
    }
}
