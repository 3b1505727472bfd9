using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Where an encoder's training is.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="ItemsPerSecond">Texts learned from, since the start.</param>
/// <param name="Remaining">Until the last step or the end of the time that it has, whichever is sooner; null: not known yet.</param>
public sealed record EncoderTrainingProgress(int Step, int Steps, double Loss, double ItemsPerSecond, TimeSpan? Remaining = null);

/// <summary>The slow tempo: fine-tunes a copy of an encoder with beeFormer's loss on its own normalised embeddings.</summary>
public static class EncoderTrainer
{
    /// <param name="texts">One an item; columns of <paramref name="interactions"/>.</param>
    /// <param name="cacheFolder">Keeps what the frozen layers give, for this training and the next; null: for this one only.</param>
    /// <returns>A new encoder; <paramref name="encoder"/> stays as it is. The same seed, data and thread count give the same weights, unless <see cref="TrainingPolicy.MaxDuration"/> ends the run.</returns>
    public static SentenceEncoder Train(SentenceEncoder encoder, IReadOnlyList<string> texts, InteractionMatrix interactions, TrainingPolicy policy, TimeProvider clock,
        string? cacheFolder = null, IProgress<EncoderTrainingProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Train(encoder, null, texts, interactions, policy, clock, cacheFolder, progress, cancellationToken).Encoder;

    /// <summary>The same with a head in the loop: the loss is on the head's vectors, and head and encoder learn together.</summary>
    /// <param name="head">Null: the loss is on the encoder's own normalised embeddings (the published method).</param>
    /// <param name="validation">Ends the training early; the weights are then those of its best step.</param>
    /// <param name="checkpoint">Keeps the training's state on disk, and may hold one to go on from: the weights are then those of a training that was never interrupted, bit for bit.</param>
    /// <param name="words">The texts with their attributes, for a head that looks at them; null: there are none.</param>
    /// <param name="workers">Other machines that share the steps where the policy asks for it.</param>
    internal static (SentenceEncoder Encoder, Head? Head) Train(SentenceEncoder encoder, Head? head, IReadOnlyList<string> texts, InteractionMatrix interactions, TrainingPolicy policy, TimeProvider clock,
        string? cacheFolder, IProgress<EncoderTrainingProgress>? progress, CancellationToken cancellationToken, EarlyStopping? validation = null, EncoderCheckpoint? checkpoint = null, IReadOnlyList<string>? words = null,
        WorkerDirectory? workers = null)
    {
        (ItemEncoder trained, Head? after) = Train(new ItemEncoder(encoder), head, texts, interactions, policy, clock, cacheFolder, progress, cancellationToken, validation, checkpoint, words: words, workers: workers);
        return (trained.Text, after);
    }

    /// <summary>The same for an encoder that may have an image tower, which then learns, too.</summary>
    /// <param name="pixels">Of an item's picture (<see cref="ImageEncoder.Preprocess"/>); null where it has none. Asked twice a step. Without an image tower it is not asked.</param>
    internal static (ItemEncoder Encoder, Head? Head) Train(ItemEncoder encoder, Head? head, IReadOnlyList<string> texts, InteractionMatrix interactions, TrainingPolicy policy, TimeProvider clock,
        string? cacheFolder, IProgress<EncoderTrainingProgress>? progress, CancellationToken cancellationToken, EarlyStopping? validation = null, EncoderCheckpoint? checkpoint = null, Func<int, float[]?>? pixels = null,
        IReadOnlyList<string>? words = null, WorkerDirectory? workers = null)
    {
        if (texts.Count != interactions.Items) throw new ArgumentException($"{texts.Count} texts for {interactions.Items} items.", nameof(texts));
        IReadOnlyList<Device> devices = TrainingDevices.Of(policy);
        ItemEncoder trained = encoder.CloneTo(devices[0]);
        try
        {
            TextImageStep? images = trained.Both is { } both ? new TextImageStep(both, policy.EmbedderBatchSize, pixels ?? (_ => null)) : null;
            using var training = new EncoderTraining(trained.Text, devices, head, texts, interactions, policy, cacheFolder, images, words, workers);
            Learn(training, policy, clock, progress, validation, checkpoint, cancellationToken);
            Head? after = training.Head;
            trained.Settle();
            return (OnCpu(trained), after);
        }
        catch
        {
            trained.Dispose();
            throw;
        }
    }

    private static ItemEncoder OnCpu(ItemEncoder trained)
    {
        if (trained.Text.Device.type == TorchSharp.DeviceType.CPU) return trained;
        using (trained) return trained.CloneTo(CPU);
    }

    private static void Learn(EncoderTraining training, TrainingPolicy policy, TimeProvider clock, IProgress<EncoderTrainingProgress>? progress,
        EarlyStopping? validation, EncoderCheckpoint? checkpoint, CancellationToken cancellationToken)
    {
        validation?.Watch(training.Weights);
        (TimeSpan before, bool ended) = checkpoint?.Resume(training, validation) ?? (TimeSpan.Zero, false);
        int first = training.Done;
        TimeSpan elapsed = before;
        if (validation is { State.Looks: 0 }) Look();
        long began = clock.GetTimestamp();
        while (!ended && training.Done < training.Steps)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                checkpoint?.SaveAtStop(training, validation, elapsed);
                cancellationToken.ThrowIfCancellationRequested();
            }
            if (!training.TryStep(out float loss)) break;
            elapsed = before + clock.GetElapsedTime(began);
            progress?.Report(Progress(loss));
            ended = elapsed >= policy.MaxDuration || (validation?.Due(training.Done, training.Steps) == true && Look());
            if (!ended) checkpoint?.SaveWhenDue(training, validation, elapsed);
        }
        // Encoding, the head and the gate still follow: whoever comes back after that begins there.
        checkpoint?.SaveAtEnd(training, validation, elapsed);
        if (validation is null) return;
        if (validation.State.LookedAt != training.Done) Look();
        validation.RestoreBest();

        bool Look() => validation!.Look(training.Done, training.Vectors(validation.Items), CancellationToken.None);

        EncoderTrainingProgress Progress(float loss)
        {
            if (elapsed <= TimeSpan.Zero) return new EncoderTrainingProgress(training.Done, training.Steps, loss, 0);
            TimeSpan left = (elapsed - before) / (training.Done - first) * (training.Steps - training.Done);
            if (policy.MaxDuration - elapsed is { } most && most < left) left = most > TimeSpan.Zero ? most : TimeSpan.Zero;
            return new EncoderTrainingProgress(training.Done, training.Steps, loss, training.Items / elapsed.TotalSeconds, left);
        }
    }
}
