using System.Runtime.InteropServices;
using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Where an encoder's training is.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="ItemsPerSecond">Texts learned from, since the start.</param>
public sealed record EncoderTrainingProgress(int Step, int Steps, double Loss, double ItemsPerSecond);

/// <summary>The slow tempo: fine-tunes a copy of an encoder with beeFormer's loss on its own normalised embeddings.</summary>
public static class EncoderTrainer
{
    /// <param name="texts">One an item; columns of <paramref name="interactions"/>.</param>
    /// <param name="cacheFolder">Keeps what the frozen layers give, for this training and the next; null: for this one only.</param>
    /// <returns>A new encoder; <paramref name="encoder"/> stays as it is. The same seed, data, devices and thread count give the same weights, unless <see cref="TrainingPolicy.MaxDuration"/> ends the run.</returns>
    /// <exception cref="InvalidDataException">This machine lacks a device that the policy asks for.</exception>
    /// <exception cref="InsufficientMemoryException">The policy's <c>max_memory</c> does not suffice.</exception>
    public static SentenceEncoder Train(SentenceEncoder encoder, IReadOnlyList<string> texts, InteractionMatrix interactions, TrainingPolicy policy, TimeProvider clock,
        string? cacheFolder = null, IProgress<EncoderTrainingProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Train(encoder, null, texts, interactions, policy, clock, cacheFolder, progress, cancellationToken).Encoder;

    /// <summary>The same with a head in the loop: the loss is on the head's vectors, and head and encoder learn together.</summary>
    /// <param name="head">Null: the loss is on the encoder's own normalised embeddings (the published method).</param>
    internal static (SentenceEncoder Encoder, Head? Head) Train(SentenceEncoder encoder, Head? head, IReadOnlyList<string> texts, InteractionMatrix interactions, TrainingPolicy policy, TimeProvider clock,
        string? cacheFolder, IProgress<EncoderTrainingProgress>? progress, CancellationToken cancellationToken)
    {
        if (texts.Count != interactions.Items) throw new ArgumentException($"{texts.Count} texts for {interactions.Items} items.", nameof(texts));
        IReadOnlyList<Device> devices = TrainingDevices.Of(policy);
        SentenceEncoder trained = encoder.CloneTo(devices[0]);
        try
        {
            Head? after = Learn(trained, devices, head, texts, interactions, policy, clock, cacheFolder, progress, cancellationToken);
            trained.Settle();
            return (OnCpu(trained), after);
        }
        catch
        {
            trained.Dispose();
            throw;
        }
    }

    private static SentenceEncoder OnCpu(SentenceEncoder trained)
    {
        if (trained.Device.type == TorchSharp.DeviceType.CPU) return trained;
        using (trained) return trained.CloneTo(CPU);
    }

    private static Head? Learn(SentenceEncoder encoder, IReadOnlyList<Device> devices, Head? head, IReadOnlyList<string> texts, InteractionMatrix interactions, TrainingPolicy policy, TimeProvider clock,
        string? cacheFolder, IProgress<EncoderTrainingProgress>? progress, CancellationToken cancellationToken)
    {
        int frozen = (int)Math.Floor(encoder.LayerCount * policy.FrozenLayers);
        foreach ((_, Tensor value) in encoder.Parameters) value.requires_grad_(false);
        Tensor[] weights = [.. encoder.ParametersAbove(frozen).Select(p => p.Value.requires_grad_(true))];
        using FrozenLayers? lower = frozen > 0 ? new FrozenLayers(encoder, frozen, cacheFolder, (long)policy.FrozenCacheMb << 20) : null;
        var memory = StepMemory.Of(policy, encoder, Math.Max(2, Math.Min(policy.MaxOutput, texts.Count)), devices.Count, Environment.WorkingSet);
        using var replicas = new EncoderReplicas(encoder, devices, frozen);
        using var optimizer = new NAdam(weights);
        var step = new BeeFormerStep(encoder, policy.EmbedderBatchSize, policy.TopK, memory.GraphBytes, lower, replicas, policy.Arithmetic.ForLayers()) { ChunkTokens = memory.ChunkTokens, LossEntries = memory.LossEntries };
        var tokens = new int[]?[texts.Count];
        int[][] TokensOf(int[] items) => [.. items.Select(item => tokens[item] ??= encoder.Tokenize(texts[item], TextRole.Document))];

        IEnumerator<Func<double, (float Loss, int Items)>> draws = (head is null ? Plain() : InLoop(head)).GetEnumerator();
        HeadStep? headStep = null;
        int steps = Steps(interactions, policy), done = 0;
        long began = clock.GetTimestamp(), items = 0;
        while (done < steps && draws.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            double schedule = LearningRateSchedule.At(1, policy.UseScheduler, done, steps);
            (float loss, int used) = draws.Current(schedule);
            if (used > 0) optimizer.Step(policy.Lr * schedule, policy.ClipNorm);
            items += used;
            done++;
            TimeSpan elapsed = clock.GetElapsedTime(began);
            progress?.Report(new EncoderTrainingProgress(done, steps, loss, elapsed > TimeSpan.Zero ? items / elapsed.TotalSeconds : 0));
            if (elapsed >= policy.MaxDuration) break;
        }
        return headStep?.Finish();

        // Each draw is a gradient still to be computed. One in which nobody has two items teaches nothing.
        IEnumerable<Func<double, (float, int)>> Plain()
        {
            foreach (TrainingBatch batch in Batches(new ColumnSampler(interactions, policy.Seed), policy))
                yield return _ =>
                {
                    if (batch.Rows == 0) return (0, 0);
                    using var scope = NewDisposeScope();
                    return (step.Accumulate(TokensOf(batch.Columns), batch), batch.Columns.Length);
                };
        }

        IEnumerable<Func<double, (float, int)>> InLoop(Head start)
        {
            HeadTrainingOptions options = StepMemory.Bound(ModelTraining.HeadOptions(policy, policy.HeadSteps) with { ItemsPerStep = policy.MaxOutput }, policy, start, Environment.WorkingSet);
            var sampler = new ItemSampler(ModelTraining.Columns(interactions), options.MaxUsersPerStep, policy.Seed);
            headStep = new HeadStep(start, new EmbeddingMatrix([], start.EncoderDimension), start.TfIdf(texts), options);
            while (true)
            {
                ItemDraw draw = sampler.Draw(policy.MaxOutput);
                yield return schedule =>
                {
                    if (draw.Users == 0) return (0, 0);
                    using var scope = NewDisposeScope();
                    return (step.Accumulate(TokensOf(draw.Items), (embeddings, order) => ThroughHead(headStep, draw, embeddings, order, (float)schedule)), draw.Items.Length);
                };
            }
        }
    }

    private static (float Loss, Tensor Gradient) ThroughHead(HeadStep head, ItemDraw draw, Tensor embeddings, int[] order, float rate)
    {
        int d = (int)embeddings.size(1);
        ReadOnlySpan<float> rows = MemoryMarshal.Cast<byte, float>(embeddings.cpu().contiguous().bytes);
        var e = new float[rows.Length];
        for (int row = 0; row < order.Length; row++) rows.Slice(row * d, d).CopyTo(e.AsSpan(order[row] * d));
        var byItem = new float[e.Length];
        double loss = head.Run(draw, e, rate, byItem);
        Tensor gradient = empty(embeddings.shape);
        Span<float> target = MemoryMarshal.Cast<byte, float>(gradient.bytes);
        for (int row = 0; row < order.Length; row++) byItem.AsSpan(order[row] * d, d).CopyTo(target[(row * d)..]);
        return ((float)loss, gradient);
    }

    private static int Steps(InteractionMatrix interactions, TrainingPolicy policy)
    {
        if (policy.EncoderSteps > 0) return policy.EncoderSteps;
        int all = policy.Batching == Batching.Items ? interactions.TouchedItems().Length : Enumerable.Range(0, interactions.Users).Count(user => !interactions.ItemsOf(user).IsEmpty);
        int perStep = policy.Batching == Batching.Items ? Math.Max(2, policy.MaxOutput) : policy.BatchSize;
        return (int)Math.Min(int.MaxValue, (long)policy.Epochs * ((all + perStep - 1) / perStep));
    }

    private static IEnumerable<TrainingBatch> Batches(ColumnSampler sampler, TrainingPolicy policy)
    {
        while (true)
        {
            if (policy.Batching == Batching.Items)
            {
                yield return sampler.Items(policy.MaxOutput);
                continue;
            }
            bool any = false;
            foreach (int[] users in sampler.UserBatches(policy.BatchSize))
            {
                any = true;
                yield return sampler.Users(users, policy.MaxOutput);
            }
            if (!any) yield break;
        }
    }
}
