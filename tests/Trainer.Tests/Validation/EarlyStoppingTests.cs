using BeeFormer.Streaming.Encoder;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class EarlyStoppingTests
{
    private static readonly string[] Texts = TinyEncoder.Texts(72);
    private static readonly TrainingPolicy Policy = new() { EncoderSteps = 24, MaxOutput = 40, Lr = 3e-3, FrozenLayers = 0, ValidateEvery = 3, Patience = 2, UseScheduler = false };
    private static readonly WindowSplit Split = ResumeTests.Split();

    [Fact]
    public void It_keeps_the_best_weights_and_ends_after_so_many_looks_without_better_ones()
    {
        var stopping = new EarlyStopping(ValidationSlice.Of(Split, Policy), Policy);
        float[] weights = [0];
        stopping.Watch([StatePart.Of("weights", weights)]);
        float[] knows = [0.2f, 1, 0.5f, float.NaN, 2]; // how much the vectors of each look tell of the tastes
        var ends = new List<bool>();
        for (int look = 0; look < knows.Length; look++)
        {
            weights[0] = look;
            ends.Add(stopping.Look(look * 3, Vectors(stopping.Items, knows[look]), TestContext.Current.CancellationToken));
            if (look == 3)
            {
                Assert.Equal((3, 2, 9), (stopping.State.BestStep, stopping.State.WithoutBetter, stopping.State.LookedAt));
                Assert.Null(stopping.State.Last); // it was no number
            }
        }
        Assert.Equal([false, false, false, true, false], ends);
        stopping.Look(15, Vectors(stopping.Items, 0), TestContext.Current.CancellationToken);
        stopping.RestoreBest();
        Assert.Equal(4, weights[0]);
    }

    [Fact]
    public void It_is_asked_every_so_many_steps_and_after_the_last_and_never_twice()
    {
        var stopping = new EarlyStopping(ValidationSlice.Of(Split, Policy), Policy);
        Assert.Equal([3, 6, 7], Enumerable.Range(1, 7).Where(step => stopping.Due(step, 7)));
        stopping.Watch([]);
        stopping.Look(6, Vectors(stopping.Items, 1), TestContext.Current.CancellationToken);
        Assert.False(stopping.Due(6, 7));
    }

    [Fact]
    public void An_encoder_comes_out_as_it_was_at_its_best_step()
    {
        (SentenceEncoder trained, EarlyStopping stopping) = Train(Policy with { Lr = 0.02 });
        using (trained)
        {
            EarlyStoppingState state = stopping.State;
            Assert.InRange(state.BestStep, 3, 15);
            Assert.Equal(state.BestStep + 6, state.LookedAt); // two looks without a better one
            using SentenceEncoder encoder = TinyEncoder.Load();
            using SentenceEncoder shorter = EncoderTrainer.Train(encoder, Texts, Split.History, Policy with { Lr = 0.02, EncoderSteps = state.BestStep }, TimeProvider.System, cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal(shorter.Fingerprint, trained.Fingerprint);
        }
    }

    [Fact]
    public void A_training_that_only_ruins_leaves_the_encoder_as_it_was()
    {
        (SentenceEncoder trained, EarlyStopping stopping) = Train(Policy with { Lr = 1e30 }); // weights that are no numbers
        using SentenceEncoder encoder = TinyEncoder.Load();
        using (trained) Assert.Equal(encoder.Fingerprint, trained.Fingerprint);
        Assert.Equal((0, 6, 3), (stopping.State.BestStep, stopping.State.LookedAt, stopping.State.Looks));
    }

    [Fact]
    public void A_head_ends_early_too()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        var stopping = new EarlyStopping(ValidationSlice.Of(Split, Policy), Policy);
        Head start = Head.Create(encoder.Dimension, Texts, seed: 1);
        var steps = new List<int>();
        Head head = HeadTrainer.Train(start, encoder.Encode(Texts, cancellationToken: TestContext.Current.CancellationToken), start.TfIdf(Texts), ModelTraining.Columns(Split.History), new HeadTrainingOptions { Steps = 400, ItemsPerStep = 40, ProjectionLearningRate = 0.01f, WordLearningRate = 0.02f },
            TimeProvider.System, new ImmediateProgress<HeadTrainingProgress>(p => steps.Add(p.Step)), stopping, TestContext.Current.CancellationToken);
        Assert.InRange(stopping.State.BestStep, 3, 300);
        Assert.Equal(stopping.State.BestStep + 6, steps[^1]);
        Assert.NotEqual(start.Fingerprint, head.Fingerprint);
        int[] items = stopping.Items;
        string[] texts = [.. items.Select(item => Texts[item])];
        Assert.Equal(stopping.State.Best!.Value, ValidationSlice.Of(Split, Policy).Score(head.Apply(encoder.Encode(texts, cancellationToken: TestContext.Current.CancellationToken), texts), Policy, TestContext.Current.CancellationToken), 1e-9);
    }

    [Fact]
    public void The_remaining_time_is_that_of_the_steps_left_or_of_the_time_that_is_left()
    {
        var steps = new List<(double Seconds, double Rate)>();
        var clock = new FakeTimeProvider();
        var told = new ImmediateProgress<EncoderTrainingProgress>(p => steps.Add((p.Remaining!.Value.TotalSeconds, p.ItemsPerSecond)));
        using SentenceEncoder encoder = TinyEncoder.Load();
        using SentenceEncoder trained = EncoderTrainer.Train(encoder, Texts, Split.History, Policy with { EncoderSteps = 6, MaxDuration = TimeSpan.FromSeconds(4.5) }, new SteppingClock(TimeSpan.FromSeconds(1)), null, told, TestContext.Current.CancellationToken);
        Assert.Equal([3.5, 2.5, 1.5, 0.5, 0], steps.Select(step => step.Seconds));
        Assert.All(steps, step => Assert.Equal(40, step.Rate));
        steps.Clear();
        using SentenceEncoder whole = EncoderTrainer.Train(encoder, Texts, Split.History, Policy with { EncoderSteps = 6 }, new SteppingClock(TimeSpan.FromSeconds(2)), null, told, TestContext.Current.CancellationToken);
        Assert.Equal([10, 8, 6, 4, 2, 0], steps.Select(step => step.Seconds));

        var pace = new Pace(clock, 10);
        Assert.Null(pace.ItemsPerSecond(10));
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal((5.0, TimeSpan.FromSeconds(14)), (pace.ItemsPerSecond(30)!.Value, pace.Remaining(30, 100)!.Value));
    }

    private static (SentenceEncoder, EarlyStopping) Train(TrainingPolicy policy)
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        var stopping = new EarlyStopping(ValidationSlice.Of(Split, policy), policy);
        return (EncoderTrainer.Train(encoder, null, Texts, Split.History, policy, TimeProvider.System, null, null, TestContext.Current.CancellationToken, stopping).Encoder, stopping);
    }

    private static EmbeddingMatrix Vectors(int[] items, float taste)
    {
        var random = new Random(1);
        EmbeddingMatrix vectors = EmbeddingMatrix.Zeros(items.Length, 16);
        for (int row = 0; row < items.Length; row++)
        {
            for (int n = 0; n < 16; n++) vectors.Row(row)[n] = random.NextSingle() - 0.5f;
            vectors.Row(row)[items[row] % 6] += taste;
        }
        return vectors;
    }
}
