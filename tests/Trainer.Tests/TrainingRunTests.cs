using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class TrainingRunTests : IDisposable
{
    private static readonly TrainingPolicy Policy = new() { HeadSteps = 40, HeadWarmSteps = 10, HeadOutput = 64, EncoderSteps = 15, MaxOutput = 64, Lr = 3e-3, FrozenLayers = 0 };
    private readonly ShopFolder _shop = new();

    public TrainingRunTests() => _shop.MakeBaseLive();

    [Theory]
    [InlineData(TrainingTempo.Head, HeadKind.Words)]
    [InlineData(TrainingTempo.Encoder, HeadKind.Words)]
    [InlineData(TrainingTempo.Encoder, HeadKind.None)]
    public void A_model_that_learned_the_shop_goes_live_with_its_record(TrainingTempo tempo, HeadKind head)
    {
        ModelVersion before = _shop.Models.Live!.Value;
        _shop.Buy(seed: 1);
        TrainingOutcome outcome = _shop.Train(Policy with { Head = head }, tempo);

        Assert.True(outcome.Published is not null, outcome.Decision);
        Assert.Equal(outcome.Published.Version, _shop.Models.Live);
        ModelManifest manifest = _shop.Models.Find(outcome.Published.Version)!;
        Assert.Equal(before, manifest.Model.Parent);
        Assert.NotNull(manifest.Model.WindowHash);
        Assert.StartsWith("Promoted: ", manifest.Model.Decision, StringComparison.Ordinal);
        Assert.True((double)manifest.Model.Metrics["challenger"]!["all"]!["ndcg@100"]! > (double)manifest.Model.Metrics["incumbent"]!["all"]!["ndcg@100"]!);
        foreach (string measured in new[] { "challenger", "incumbent", "base", "popularity", "tfidf", "elsa" })
            Assert.True((double)manifest.Model.Metrics[measured]!["all"]!["ndcg@100"]! > 0, measured);
        Assert.True(manifest.Model.Metrics["elsa"]!.AsObject().ContainsKey("cold") && manifest.Model.Metrics["elsa"]!["cold"] is null); // blind to new items
        Assert.True((int)manifest.Model.Metrics["challenger"]!["old"]!["users"]! > 0);
        Assert.True((int)manifest.Model.Metrics["challenger"]!["canaries"]!["found"]! > 0);
        Assert.True((bool)manifest.Model.Metrics["decision"]!["promoted"]!);
        using EmbeddingModel live = EmbeddingModel.Load(_shop.Models.EncoderFolder(outcome.Published.Version), null);
        Assert.Equal(manifest.Model.Fingerprint, live.Fingerprint);
        Assert.Equal(head == HeadKind.Words, live.Head is not null);
    }

    [Fact]
    public void The_same_window_is_not_trained_twice_at_one_tempo_and_a_new_one_is()
    {
        _shop.Buy(seed: 1);
        _shop.Train(Policy);
        ModelVersion? live = _shop.Models.Live;
        Assert.Contains("not trained again", _shop.Train(Policy).Decision, StringComparison.Ordinal);
        Assert.Equal(live, _shop.Models.Live);
        Assert.DoesNotContain("not trained again", _shop.Train(Policy, TrainingTempo.Encoder).Decision, StringComparison.Ordinal);

        _shop.Buy(seed: 2, each: 2);
        Assert.DoesNotContain("not trained again", _shop.Train(Policy).Decision, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0, "window is empty")]
    [InlineData(1, 10, "1 users")]
    [InlineData(5, 10, "at least 20 are needed")]
    public void Too_little_data_is_said_in_words_and_changes_nothing(int users, int each, string expected)
    {
        ModelVersion? live = _shop.Models.Live;
        _shop.Buy(seed: 1, users, each);
        TrainingOutcome outcome = _shop.Train(Policy);
        Assert.Contains(expected, outcome.Decision, StringComparison.Ordinal);
        Assert.Null(outcome.Published);
        Assert.Equal(live, _shop.Models.Live);
        Assert.Single(_shop.Models.List());
    }

    [Fact]
    public void Interactions_of_one_moment_cannot_be_split()
    {
        _shop.Buy(seed: 1, at: 5_000);
        Assert.Contains("the same time", _shop.Train(Policy).Decision, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TrainingTempo.Head)]
    [InlineData(TrainingTempo.Encoder)]
    public void Weights_that_are_no_numbers_are_refused_and_the_refusal_is_kept(TrainingTempo tempo)
    {
        ModelVersion? live = _shop.Models.Live;
        _shop.Buy(seed: 1);
        TrainingOutcome outcome = _shop.Train(Policy with { HeadLr = 1e38, HeadWordLr = 1e38, Lr = 1e30, UseScheduler = false }, tempo);
        Assert.Null(outcome.Published);
        Assert.Contains("finite", outcome.Decision, StringComparison.Ordinal);
        Assert.Equal(live, _shop.Models.Live);
        Assert.Equal(outcome.Decision, Assert.Single(_shop.Models.Refusals()).Decision);
    }

    [Fact]
    public void A_refusal_keeps_the_same_numbers_as_a_promotion()
    {
        _shop.Buy(seed: 1);
        TrainingOutcome outcome = _shop.Train(Policy with { MinProbability = 1.01 });
        Assert.StartsWith("Refused: ", outcome.Decision, StringComparison.Ordinal);
        var metrics = Assert.Single(_shop.Models.Refusals()).Metrics;
        foreach (string measured in new[] { "challenger", "incumbent", "base", "popularity", "tfidf", "elsa" }) Assert.NotNull(metrics[measured]);
        Assert.False((bool)metrics["decision"]!["promoted"]!);
        Assert.Contains("1.010 was asked for", (string)metrics["decision"]!["objections"]![0]!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_without_head_has_nothing_to_do_at_the_head_tempo()
    {
        _shop.Buy(seed: 1);
        Assert.Contains("head: none", _shop.Train(Policy with { Head = HeadKind.None }).Decision, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TrainingTempo.Head)]
    [InlineData(TrainingTempo.Encoder)]
    public void A_training_that_is_cancelled_changes_nothing_whatever_it_was_doing(TrainingTempo tempo)
    {
        _shop.Buy(seed: 1);
        string[] before = _shop.ModelFiles();
        foreach (string phase in (string[])["window", "encode", "train", "evaluate"])
            foreach (double fraction in (double[])[0, 1])
            {
                using var cancellation = new CancellationTokenSource();
                var progress = new ImmediateProgress<TrainingProgressed>(told =>
                {
                    if (told.Phase == phase && told.Fraction >= fraction) cancellation.Cancel();
                });
                Assert.ThrowsAny<OperationCanceledException>(() => _shop.Train(Policy, tempo, progress, cancellation.Token));
                Assert.Equal(before, _shop.ModelFiles());
            }
        TrainingOutcome outcome = _shop.Train(Policy, tempo);
        Assert.True(outcome.Published is not null, outcome.Decision);
    }

    [Theory]
    [InlineData(TrainingTempo.Head)]
    [InlineData(TrainingTempo.Encoder)]
    public void Progress_tells_how_fast_it_goes_and_how_long_it_will_take(TrainingTempo tempo)
    {
        _shop.Buy(seed: 1);
        var told = new List<TrainingProgressed>();
        _shop.Train(Policy, tempo, new ImmediateProgress<TrainingProgressed>(told.Add), TestContext.Current.CancellationToken);
        TrainingProgressed[] steps = [.. told.Where(progress => progress.Phase == "train")];
        Assert.All(steps, step => Assert.True(step.ItemsPerSecond > 0 && step.EtaSeconds >= 0));
        Assert.Equal(0, steps[^1].EtaSeconds);
        Assert.All(told.Where(progress => progress.Phase is "window" or "evaluate"), progress => Assert.Null(progress.EtaSeconds));
    }

    [Theory]
    [InlineData(TrainingTempo.Head)]
    [InlineData(TrainingTempo.Encoder)]
    public void An_incumbent_of_another_dimension_is_compared_trained_further_and_taken_back(TrainingTempo tempo)
    {
        ModelVersion untrained = _shop.Models.Live!.Value;
        _shop.MakeOtherDimensionLive(16);
        ModelVersion incumbent = _shop.Models.Live!.Value;
        _shop.Buy(seed: 1);
        TrainingOutcome outcome = _shop.Train(Policy, tempo);
        Assert.True(outcome.Published is not null, outcome.Decision);
        Assert.Equal((16, incumbent), (outcome.Published.Model.Dimension, outcome.Published.Model.Parent!.Value));
        foreach (string ranking in (string[])["challenger", "incumbent", "base"]) Assert.NotNull(outcome.Published.Model.Metrics[ranking]!["all"]);
        Assert.True(_shop.Models.TryMoveLive(outcome.Published.Version, untrained));
        Assert.Equal(32, _shop.Models.Find(_shop.Models.Live!.Value)!.Model.Dimension);
    }

    [Fact]
    public void A_damaged_untrained_model_is_named_and_does_not_end_training()
    {
        ModelVersion untrained = _shop.Models.Live!.Value;
        _shop.MakeOtherDimensionLive(16);
        string file = Path.Combine(_shop.Models.EncoderFolder(untrained), "model.safetensors");
        File.Delete(file); // a name of its own: the other version keeps its bytes
        _shop.Buy(seed: 1);
        TrainingOutcome outcome = _shop.Train(Policy);
        Assert.NotNull(outcome.Metrics);
        Assert.Contains(file, (string?)outcome.Metrics["base_problem"], StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_incumbent_ends_the_training_with_the_name_of_the_file_and_changes_nothing()
    {
        string file = Path.Combine(_shop.Models.EncoderFolder(_shop.Models.Live!.Value), "model.safetensors");
        File.WriteAllText(file, "?");
        _shop.Buy(seed: 1);
        string[] before = _shop.ModelFiles();
        Assert.Contains(file, Assert.Throws<InvalidDataException>(() => _shop.Train(Policy)).Message, StringComparison.Ordinal);
        Assert.Equal(before, _shop.ModelFiles());
    }

    [Fact]
    public void Imported_models_are_no_trainings_of_this_store()
    {
        _shop.Buy(seed: 1);
        ModelVersion trained = _shop.Train(Policy).Published!.Version;
        using var archive = new MemoryStream();
        _shop.Models.Export(trained, archive);
        using var other = new ShopFolder();
        other.MakeBaseLive();
        archive.Position = 0;
        other.Models.Import(archive, "archive", long.MaxValue, (_, _) => { });
        Assert.Null(LastTraining.Find(other.Models, TrainingTempo.Head));
        Assert.Equal("base", LastTraining.Find(other.Models, null) is { WindowHash: null } ? "base" : "imported");
    }

    [Fact]
    public void Removed_models_are_trainings_still()
    {
        _shop.Buy(seed: 1);
        string window = _shop.Train(Policy).Published!.Model.WindowHash!;
        ModelVersion untrained = _shop.Models.List()[0].Version;
        foreach (int dimension in (int[])[16, 8]) _shop.MakeOtherDimensionLive(dimension);
        Assert.Single(_shop.Models.Retain(1));
        Assert.Equal(window, LastTraining.Find(_shop.Models, TrainingTempo.Head)!.WindowHash);
        Assert.Equal(untrained, _shop.Models.List()[0].Version);
    }

    public void Dispose() => _shop.Dispose();
}
