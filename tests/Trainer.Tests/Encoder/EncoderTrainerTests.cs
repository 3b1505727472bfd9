using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class EncoderTrainerTests
{
    private static readonly string[] Texts = TinyEncoder.Texts(72);
    private static readonly InteractionMatrix Interactions = TinyEncoder.Tastes(users: 60, items: 72, seed: 3);
    private static readonly TrainingPolicy Policy = new() { EncoderSteps = 25, MaxOutput = 48, Lr = 3e-3, FrozenLayers = 0, BatchSize = 20 };

    [Theory]
    [InlineData(Batching.Items)]
    [InlineData(Batching.Users)]
    public void Loss_falls(Batching batching)
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        var losses = new List<double>();
        using SentenceEncoder trained = Train(encoder, Policy with { Batching = batching }, losses);
        Assert.Equal(25, losses.Count);
        Assert.True(losses.TakeLast(5).Average() < losses.Take(3).Average() * 0.9, string.Join(' ', losses));
    }

    [Fact]
    public void The_same_seed_trains_the_same_weights_and_leaves_the_given_encoder_as_it_was()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        var before = encoder.Fingerprint;
        TrainingPolicy policy = Policy with { EncoderSteps = 4 };
        using SentenceEncoder first = Train(encoder, policy, []);
        using SentenceEncoder second = Train(encoder, policy, []);
        using SentenceEncoder other = Train(encoder, policy with { Seed = 7 }, []);
        Assert.Equal(first.Fingerprint, second.Fingerprint);
        Assert.NotEqual(first.Fingerprint, other.Fingerprint);
        Assert.Equal(before, encoder.Fingerprint);
        Assert.NotEqual(before, first.Fingerprint);
    }

    [Fact]
    public void Frozen_layers_keep_their_weights()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        using SentenceEncoder trained = Train(encoder, Policy with { EncoderSteps = 2, FrozenLayers = 0.5 }, []);
        foreach (((string name, var before), (_, var after)) in encoder.Parameters.Zip(trained.Parameters))
            Assert.Equal(name.Contains("layer.1.", StringComparison.Ordinal), (before - after).abs().max().item<float>() > 0);
    }

    [Fact]
    public void Frozen_layers_give_the_same_whether_their_outputs_were_kept_or_not()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            TrainingPolicy policy = Policy with { EncoderSteps = 3, FrozenLayers = 0.5 };
            using SentenceEncoder fresh = Train(encoder, policy, [], folder), kept = Train(encoder, policy, [], folder), never = Train(encoder, policy with { FrozenCacheMb = 0 }, []);
            Assert.Equal(fresh.Fingerprint, kept.Fingerprint);
            Assert.Equal(fresh.Fingerprint, never.Fingerprint);
            string file = Assert.Single(Directory.GetFiles(folder));
            using SentenceEncoder after = Train(kept, policy, [], folder); // its frozen part is still the same
            Assert.Equal(file, Assert.Single(Directory.GetFiles(folder)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void With_a_head_in_the_loop_both_learn()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        Head head = Head.Create(encoder.Dimension, Texts, seed: 1);
        var losses = new List<double>();
        (SentenceEncoder Encoder, Head? Head) Run() => EncoderTrainer.Train(encoder, head, Texts, Interactions, Policy, TimeProvider.System, null,
            new ImmediateProgress<EncoderTrainingProgress>(p => losses.Add(p.Loss)), TestContext.Current.CancellationToken);
        (SentenceEncoder first, Head? learned) = Run();
        Assert.True(losses.TakeLast(5).Average() < losses.Take(3).Average() * 0.9, string.Join(' ', losses));
        (SentenceEncoder second, Head? again) = Run();
        using (first)
        using (second)
        {
            Assert.NotEqual(head.Fingerprint, learned!.Fingerprint);
            Assert.NotEqual(encoder.Fingerprint, first.Fingerprint);
            Assert.Equal((learned.Fingerprint, first.Fingerprint), (again!.Fingerprint, second.Fingerprint));
        }
    }

    [Fact]
    public void Training_ends_with_the_step_that_crosses_the_time_budget()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        var losses = new List<double>();
        var clock = new SteppingClock(TimeSpan.FromSeconds(1));
        using SentenceEncoder trained = EncoderTrainer.Train(encoder, Texts, Interactions, Policy with { MaxDuration = TimeSpan.FromSeconds(3) }, clock, null,
            new ImmediateProgress<EncoderTrainingProgress>(p => losses.Add(p.Loss)), TestContext.Current.CancellationToken);
        Assert.Equal(3, losses.Count);
    }

    [Fact]
    public void Cancellation_ends_the_training()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => EncoderTrainer.Train(encoder, Texts, Interactions, Policy, TimeProvider.System, null,
            new ImmediateProgress<EncoderTrainingProgress>(p => { if (p.Step == 2) cancellation.Cancel(); }), cancellation.Token));
    }

    private static SentenceEncoder Train(SentenceEncoder encoder, TrainingPolicy policy, List<double> losses, string? folder = null) =>
        EncoderTrainer.Train(encoder, Texts, Interactions, policy, TimeProvider.System, folder, new ImmediateProgress<EncoderTrainingProgress>(p => losses.Add(p.Loss)), TestContext.Current.CancellationToken);
}
