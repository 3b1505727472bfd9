using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class HeadTrainerTests
{
    private static readonly HeadTrainingOptions s_options = new() { Steps = 60, ItemsPerStep = 64, WordLearningRate = 0.02f, Threads = 2 };
    private static readonly SyntheticShop s_shop = SyntheticShop.Of(items: 160, users: 400, seed: 1);

    [Fact]
    public void Training_learns_from_use_what_wording_hides()
    {
        var untrained = s_shop.Untrained();
        double before = s_shop.NeighboursOfSameTaste(untrained);
        double after = s_shop.NeighboursOfSameTaste(s_shop.Train(untrained, s_options));
        Assert.InRange(before, 0, 0.65);
        Assert.InRange(after, 0.9, 1);
    }

    [Fact]
    public void Same_seed_gives_the_same_head_bit_by_bit_and_another_seed_another()
    {
        var first = s_shop.Train(s_shop.Untrained(), s_options);
        Assert.Equal(first.Fingerprint, s_shop.Train(s_shop.Untrained(), s_options).Fingerprint);
        Assert.NotEqual(first.Fingerprint, s_shop.Train(s_shop.Untrained(), s_options with { Seed = 2 }).Fingerprint);
    }

    [Fact]
    public void Incumbent_is_left_as_it_is_and_a_warm_start_begins_at_its_loss()
    {
        var incumbent = s_shop.Train(s_shop.Untrained(), s_options);
        var fingerprint = Head.Create(SyntheticShop.Dimension, s_shop.Texts, seed: 1).WithWeights(incumbent.Projection.ToArray(), incumbent.WordRows.ToArray()).Fingerprint;
        var (cold, warm) = (new Losses(), new Losses());
        s_shop.Train(s_shop.Untrained(), s_options with { Steps = 1 }, cold);
        s_shop.Train(incumbent.WithTexts(s_shop.Texts), s_options with { Steps = 1 }, warm);
        Assert.True(warm[0] < 0.9 * cold[0], $"warm {warm[0]}, cold {cold[0]}");
        Assert.Equal(fingerprint, incumbent.Fingerprint);
    }

    [Fact]
    public void Progress_tells_every_step_and_cancelling_stops_at_the_next()
    {
        using var source = new CancellationTokenSource();
        var losses = new Losses();
        losses.After = () => { if (losses.Count == 3) source.Cancel(); };
        Assert.Throws<OperationCanceledException>(() => s_shop.TrainUntil(s_shop.Untrained(), s_options, losses, source.Token));
        Assert.Equal(3, losses.Count);
    }

    [Fact]
    public void Time_budget_ends_the_training()
    {
        var losses = new Losses();
        s_shop.Train(s_shop.Untrained(), s_options with { TimeBudget = TimeSpan.FromTicks(1) }, losses);
        Assert.Single(losses);
    }

    [Fact]
    public void Window_without_any_pair_of_items_changes_nothing()
    {
        var head = s_shop.Untrained();
        var lonely = InteractionColumns.Of(3, s_shop.Texts.Length, [0, 1], [5, 6]);
        var trained = HeadTrainer.Train(head, s_shop.Outputs, head.TfIdf(s_shop.Texts), lonely, s_options, TimeProvider.System, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(head.Fingerprint, trained.Fingerprint);
    }

    private sealed class Losses : List<double>, IProgress<HeadTrainingProgress>
    {
        public Action? After { get; set; }

        public void Report(HeadTrainingProgress value)
        {
            Add(value.Loss);
            After?.Invoke();
        }
    }
}
