using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The verbs of a training that evaluation and service share.</summary>
internal static class ModelTraining
{
    /// <summary>e of every text, from the cache where it has them.</summary>
    public static EmbeddingMatrix Encode(SentenceEncoder encoder, IReadOnlyList<string> texts, EncoderOutputCache? cache, TrainingPhases phases, CancellationToken cancellationToken)
    {
        ImmediateProgress<int> progress = EncodeProgress(texts.Count, phases);
        return cache is null ? encoder.Encode(texts, TextRole.Document, progress, cancellationToken) : cache.GetOrEncode(encoder, texts, progress, cancellationToken);
    }

    private static ImmediateProgress<int> EncodeProgress(int count, TrainingPhases phases)
    {
        Pace? pace = null;
        return new ImmediateProgress<int>(done =>
        {
            // What lies in the cache is there at once and tells nothing of the rest.
            pace ??= new Pace(phases.Clock, done);
            phases.Report("encode", count == 0 ? 1 : done / (double)count, null, pace.ItemsPerSecond(done), pace.Remaining(done, count));
        });
    }

    /// <summary>e of every item of a catalogue, with its picture where the encoder takes any.</summary>
    public static EmbeddingMatrix Encode(ItemEncoder encoder, TrainingCatalogue catalogue, PictureFolder? pictures, EncoderOutputCache? cache, TrainingPhases phases, CancellationToken cancellationToken) =>
        encoder.Encode(catalogue.Texts, catalogue.ImageUrls, pictures, cache, EncodeProgress(catalogue.Texts.Count, phases), cancellationToken);

    /// <summary>The untrained head over the words of a catalogue.</summary>
    /// <param name="words">The texts with their attributes.</param>
    public static Head NewHead(int encoderDimension, IReadOnlyList<string> texts, IReadOnlyList<string> words, TrainingPolicy policy)
    {
        var shape = new HeadShape(encoderDimension, encoderDimension, policy.Seed, Pairs: policy.HeadPairs, Attributes: policy.HeadAttributes);
        return Head.Create(shape, shape.Reads(texts, words));
    }

    /// <param name="head">In the loop; null: the encoder learns by itself.</param>
    public static (SentenceEncoder Encoder, Head? Head) LearnEncoder(SentenceEncoder encoder, Head? head, IReadOnlyList<string> texts, IReadOnlyList<string> words, InteractionMatrix interactions, TrainingPolicy policy, EncoderOutputCache? cache,
        TimeProvider clock, TrainingPhases phases, CancellationToken cancellationToken) =>
        EncoderTrainer.Train(encoder, head, texts, interactions, policy, clock, cache?.Folder, TrainProgress(phases), cancellationToken, words: words);

    /// <summary>The same over a catalogue, with its pictures where the encoder has an image tower.</summary>
    public static (ItemEncoder Encoder, Head? Head) LearnEncoder(ItemEncoder encoder, Head? head, TrainingCatalogue catalogue, PictureFolder? pictures, InteractionMatrix interactions, TrainingPolicy policy, EncoderOutputCache? cache,
        TimeProvider clock, TrainingPhases phases, CancellationToken cancellationToken, EarlyStopping? validation = null, EncoderCheckpoint? checkpoint = null, WorkerDirectory? workers = null) =>
        EncoderTrainer.Train(encoder, head, catalogue.Texts, interactions, policy, clock, cache?.Folder, TrainProgress(phases), cancellationToken, validation, checkpoint,
            pixels: item => pictures?.TryPixels(catalogue.ImageUrls[item], encoder.Both!.Image), words: catalogue.Words, workers: workers);

    private static ImmediateProgress<EncoderTrainingProgress> TrainProgress(TrainingPhases phases) =>
        new(p => phases.Report("train", p.Step / (double)p.Steps, p.Loss, p.ItemsPerSecond, p.Remaining));

    public static Head LearnHead(Head start, SparseRows words, EmbeddingMatrix outputs, InteractionMatrix interactions, TrainingPolicy policy, int steps, TimeProvider clock,
        TrainingPhases phases, CancellationToken cancellationToken, EarlyStopping? validation = null)
    {
        var pace = new Pace(clock, 0);
        int items = Math.Min(policy.HeadOutput, interactions.TouchedItems().Length); // a step's
        var progress = new ImmediateProgress<HeadTrainingProgress>(p =>
            phases.Report("train", p.Step / (double)p.Steps, p.Loss, pace.ItemsPerSecond(p.Step) * items, pace.Remaining(p.Step, p.Steps)));
        return HeadTrainer.Train(start, outputs, words, Columns(interactions), StepMemory.Bound(HeadOptions(policy, steps), policy, start, Environment.WorkingSet), clock, progress, validation, cancellationToken);
    }

    public static HeadTrainingOptions HeadOptions(TrainingPolicy policy, int steps) => new()
    {
        Steps = steps,
        ItemsPerStep = policy.HeadOutput,
        ProjectionLearningRate = (float)policy.HeadLr,
        WordLearningRate = (float)policy.HeadWordLr,
        WordDropout = policy.HeadDropout,
        Seed = policy.Seed,
        Threads = Math.Max(1, TorchSharp.torch.get_num_threads()),
    };

    public static InteractionColumns Columns(InteractionMatrix interactions)
    {
        var user = new int[interactions.Count];
        var item = new int[interactions.Count];
        var weight = new float[interactions.Count];
        int n = 0;
        for (int u = 0; u < interactions.Users; u++)
        {
            ReadOnlySpan<int> items = interactions.ItemsOf(u);
            items.CopyTo(item.AsSpan(n));
            interactions.WeightsOf(u).CopyTo(weight.AsSpan(n));
            user.AsSpan(n, items.Length).Fill(u);
            n += items.Length;
        }
        return InteractionColumns.Of(interactions.Users, interactions.Items, user, item, weight);
    }
}

/// <summary>Tells how far each phase of a training is.</summary>
internal sealed class TrainingPhases(Guid trainingId, IProgress<TrainingProgressed>? progress, TimeProvider? clock = null)
{
    public TimeProvider Clock { get; } = clock ?? TimeProvider.System;

    /// <param name="remaining">Until the phase ends; null: not known.</param>
    public void Report(string phase, double fraction, double? loss, double? itemsPerSecond = null, TimeSpan? remaining = null) =>
        progress?.Report(new TrainingProgressed(trainingId, phase, Math.Clamp(fraction, 0, 1), loss, itemsPerSecond, remaining?.TotalSeconds));
}

/// <summary>Calls back at once, on the reporting thread: reports keep their order. (The framework's Progress posts them to the thread pool.)</summary>
internal sealed class ImmediateProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
