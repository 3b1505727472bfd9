using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The verbs of a training that evaluation and service share.</summary>
internal static class ModelTraining
{
    /// <summary>e of every text, from the cache where it has them.</summary>
    public static EmbeddingMatrix Encode(SentenceEncoder encoder, IReadOnlyList<string> texts, EncoderOutputCache? cache, TrainingPhases phases, CancellationToken cancellationToken)
    {
        var progress = new ImmediateProgress<int>(done => phases.Report("encode", texts.Count == 0 ? 1 : done / (double)texts.Count, null));
        return cache is null ? encoder.Encode(texts, TextRole.Document, progress, cancellationToken) : cache.GetOrEncode(encoder, texts, progress, cancellationToken);
    }

    /// <summary>The untrained head over the words of these texts.</summary>
    public static Head NewHead(int encoderDimension, IReadOnlyList<string> texts, TrainingPolicy policy) =>
        Head.Create(new HeadShape(encoderDimension, encoderDimension, policy.Seed, Pairs: policy.HeadPairs), texts);

    /// <param name="head">In the loop; null: the encoder learns by itself.</param>
    public static (SentenceEncoder Encoder, Head? Head) LearnEncoder(SentenceEncoder encoder, Head? head, IReadOnlyList<string> texts, InteractionMatrix interactions, TrainingPolicy policy, EncoderOutputCache? cache,
        TimeProvider clock, TrainingPhases phases, CancellationToken cancellationToken) =>
        EncoderTrainer.Train(encoder, head, texts, interactions, policy, clock, cache?.Folder,
            new ImmediateProgress<EncoderTrainingProgress>(p => phases.Report("train", p.Step / (double)p.Steps, p.Loss)), cancellationToken);

    public static Head LearnHead(Head start, SparseRows words, EmbeddingMatrix outputs, InteractionMatrix interactions, TrainingPolicy policy, int steps, TimeProvider clock,
        TrainingPhases phases, CancellationToken cancellationToken) =>
        HeadTrainer.Train(start, outputs, words, Columns(interactions), StepMemory.Bound(HeadOptions(policy, steps), policy, start, Environment.WorkingSet), clock,
            new ImmediateProgress<HeadTrainingProgress>(p => phases.Report("train", p.Step / (double)p.Steps, p.Loss)), cancellationToken);

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
internal sealed class TrainingPhases(Guid trainingId, IProgress<TrainingProgressed>? progress)
{
    public void Report(string phase, double fraction, double? loss) => progress?.Report(new TrainingProgressed(trainingId, phase, Math.Clamp(fraction, 0, 1), loss));
}

/// <summary>Calls back at once, on the reporting thread: reports keep their order. (The framework's Progress posts them to the thread pool.)</summary>
internal sealed class ImmediateProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
