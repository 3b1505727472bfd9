using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The workers that are configured, for trainings whose policy says <c>train_distributed: true</c>.</summary>
internal sealed class WorkerDirectory(IOptions<WorkersOptions> options, WorkerIdentity identity, TimeProvider clock, ILoggerFactory loggers)
{
    public bool Serves(TrainingPolicy policy) => policy.TrainDistributed && options.Value.Endpoints.Count > 0;

    /// <returns>Why a policy and the workers do not go together; null when they do.</returns>
    public string? Problem(TrainingPolicy policy) => Serves(policy) && TrainingDevices.Problem(policy) is null && TrainingDevices.Of(policy).Count is > 1 and var count
        ? $"The policy trains on {count} devices of this machine, and Workers:Endpoints names workers; name one device (devices: [cuda:0]), and run a worker for each other one (Workers:Device)."
        : null;

    /// <returns>Null: the policy does not ask for them, or there are none.</returns>
    /// <param name="encoder">As the training begins.</param>
    /// <param name="chunks">This machine's own part.</param>
    public TrainingWorkers? Open(TrainingPolicy policy, Encoder.SentenceEncoder encoder, int frozen, ChunkEncoder chunks) =>
        Serves(policy) ? new TrainingWorkers(options.Value, identity, encoder, frozen, policy, chunks, clock, loggers.CreateLogger<TrainingWorkers>()) : null;

    /// <summary>Weights that the workers' gradients may need here at once, as a multiple of what learns; 0 without workers.</summary>
    public int GradientsHeld(TrainingPolicy policy) => Serves(policy) ? TrainingWorkers.SharesOf(options.Value) + 2 : 0;
}
