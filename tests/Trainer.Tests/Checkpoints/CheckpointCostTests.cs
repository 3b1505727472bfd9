using System.Diagnostics;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>What looking and keeping cost beside the steps, with the encoder that comes with the program and the default policy.</summary>
public sealed class CheckpointCostTests(ITestOutputHelper output)
{
    [Fact(Explicit = true)]
    public void Looks_and_checkpoints_beside_steps()
    {
        const int items = 2000, steps = 5;
        var random = new Random(1);
        string[] texts = [.. Enumerable.Range(0, items).Select(_ => string.Join(' ', Enumerable.Range(0, 30).Select(_ => $"word{Math.Pow(random.NextDouble(), 3) * 3000:0}")))];
        InteractionMatrix interactions = TinyEncoder.Tastes(users: 600, items, seed: 1);
        var policy = new TrainingPolicy { EncoderSteps = steps };
        string folder = Directory.CreateTempSubdirectory("checkpoint-cost-").FullName;
        try
        {
            using SentenceEncoder encoder = SentenceEncoder.Load(SentenceEncoder.DefaultFolder, 64), start = encoder.Clone();
            Head head = Head.Create(encoder.Dimension, texts, seed: 1);
            using var training = new EncoderTraining(start, [TorchSharp.torch.CPU], head, texts, interactions, policy, folder);
            training.Vectors([.. Enumerable.Range(0, items)]); // the frozen layers, once a text
            int[] looked = [.. Enumerable.Range(0, ValidationSlice.MostItems)];
            while (training.Done < steps)
            {
                Seconds($"a step of {policy.MaxOutput} items", () => Assert.True(training.TryStep(out _)));
                Seconds($"a look at {looked.Length} items", () => training.Vectors(looked));
            }
            var checkpoints = new TrainingCheckpoints(Path.Combine(folder, "checkpoints"));
            var kept = new EncoderCheckpoint(checkpoints, new CheckpointedTraining(Guid.Empty, "live", "start", "window", new WindowQuery(), new Dictionary<int, long>(), "catalogue", policy, training.Counters, TimeSpan.Zero, false, null),
                null, NullLogger.Instance, new CancellationToken(canceled: true));
            Seconds("a checkpoint", () => kept.SaveAtStop(training, null, TimeSpan.FromSeconds(1)));
            Interruption found = checkpoints.Find()!;
            Assert.Equal(training.Counters, found.Training!.Counters);
            EmbeddingMatrix e = EmbeddingMatrix.Zeros(items, encoder.Dimension);
            for (int n = 0; n < e.Values.Length; n++) e.Values[n] = random.NextSingle() - 0.5f;
            WindowSplit split = SyntheticShop.Of(items, users: 2000, seed: 1).Split(seed: 1);
            foreach (EarlyStopping? looks in (EarlyStopping?[])[null, new EarlyStopping(ValidationSlice.Of(split, policy), policy with { Patience = steps })])
                Seconds($"{policy.HeadWarmSteps} steps of a head, looks: {looks is not null}", () => HeadTrainer.Train(head, e, head.TfIdf(texts), ModelTraining.Columns(split.History),
                    ModelTraining.HeadOptions(policy, policy.HeadWarmSteps), TimeProvider.System, null, looks, TestContext.Current.CancellationToken));
            output.WriteLine($"{new FileInfo(found.File).Length >> 20} MiB, {head.Vocabulary.Words.Count} words");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Seconds(string what, Action action)
    {
        long began = Stopwatch.GetTimestamp();
        action();
        output.WriteLine(FormattableString.Invariant($"{what}: {Stopwatch.GetElapsedTime(began).TotalSeconds:0.00} s"));
    }
}
