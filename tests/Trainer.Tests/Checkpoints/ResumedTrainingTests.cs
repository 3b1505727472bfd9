using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>A whole training, from window to verdict, that was interrupted.</summary>
public sealed class ResumedTrainingTests : IDisposable
{
    private static readonly TrainingPolicy Policy = new() { HeadSteps = 40, HeadOutput = 64, EncoderSteps = 10, MaxOutput = 64, Lr = 3e-3, FrozenLayers = 0 };
    private static readonly WindowQuery Query = new() { LastN = 1000 };
    private readonly ShopFolder _shop = new();
    private readonly TrainingCheckpoints _checkpoints;

    public ResumedTrainingTests()
    {
        _checkpoints = _shop.Checkpoints;
        _shop.MakeBaseLive();
        _shop.Buy(seed: 1);
    }

    [Fact]
    public void The_model_is_the_one_of_an_uninterrupted_training_whatever_came_meanwhile()
    {
        using var twin = new ShopFolder();
        twin.MakeBaseLive();
        twin.Buy(seed: 1);
        Fingerprint expected = twin.Train(Policy, TrainingTempo.Encoder, null, TestContext.Current.CancellationToken, query: Query).Published!.Model.Fingerprint;

        Interrupt();
        _shop.Buy(seed: 2, each: 2);
        _shop.Describe(3, "changed since");
        TrainingOutcome outcome = Resume();
        Assert.Equal(expected, outcome.Published!.Model.Fingerprint);
        Assert.InRange((int)outcome.Metrics!["learning"]!["older"]!, 90, 100); // beside 900 of the window: a part of the draw, too, is what it was
        Assert.StartsWith("Promoted", outcome.Decision, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_model_in_service_begins_the_training_anew_and_says_so()
    {
        Interrupt();
        _shop.MakeOtherDimensionLive(16);
        TrainingOutcome outcome = Resume();
        Assert.Equal(16, outcome.Published!.Model.Dimension);
        Assert.Contains("could not be resumed and was begun anew: it began when model 000001-", outcome.Decision, StringComparison.Ordinal);
    }

    [Fact]
    public void A_window_that_is_not_there_any_more_begins_the_training_anew_and_says_so()
    {
        Interrupt();
        _shop.Windows.Erase(new UserId("u003"), long.MaxValue);
        TrainingOutcome outcome = Resume();
        Assert.True(outcome.Published is not null, outcome.Decision);
        Assert.Contains("begun anew: its window cannot be read any more as it was", outcome.Decision, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_checkpoint_begins_the_training_anew_and_is_named()
    {
        Interrupt();
        Interruption found = _checkpoints.Find()!;
        File.WriteAllText(found.File, "?");
        TrainingOutcome outcome = Resume();
        Assert.True(outcome.Published is not null, outcome.Decision);
        Assert.Contains(found.File, outcome.Decision, StringComparison.Ordinal);
    }

    private void Interrupt()
    {
        using var stop = new CancellationTokenSource();
        var progress = new ImmediateProgress<TrainingProgressed>(told =>
        {
            if (told is { Phase: "train", Fraction: >= 0.5 }) stop.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => _shop.Train(Policy, TrainingTempo.Encoder, progress, stop.Token, new Resumption(_checkpoints, null, NullLogger.Instance, stop.Token), Query));
        Assert.Equal(5, _checkpoints.Find()!.Training!.Counters.Step);
    }

    private TrainingOutcome Resume()
    {
        Interruption found = _checkpoints.Find()!;
        return _shop.Train(found.Training?.Policy ?? Policy, TrainingTempo.Encoder, null, TestContext.Current.CancellationToken, new Resumption(_checkpoints, found, NullLogger.Instance, CancellationToken.None), Query);
    }

    public void Dispose() => _shop.Dispose();
}
