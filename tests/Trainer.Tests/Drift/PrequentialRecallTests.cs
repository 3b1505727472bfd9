using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Real stores, the tiny encoder in service, shoppers who first buy what is worded alike and then anything; time is made.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class PrequentialRecallTests : IDisposable
{
    private static readonly TrainerOptions Options = new() { EveryInteractions = 0, Every = null, RecallDrop = 0.25, RecallFalseAlarmEvery = 10_000, RecallSample = 10_000 };
    private readonly ShopFolder _shop = new();
    private readonly FakeTimeProvider _clock = new();
    private int _shoppers;

    public PrequentialRecallTests() => _shop.MakeBaseLive();
    public void Dispose() => _shop.Dispose();

    [Fact]
    public async Task Shoppers_who_want_something_else_start_a_training_and_nothing_else_does()
    {
        var queue = new TrainingQueue(_shop.Trainings, _clock);
        var triggers = new TrainingTriggers(queue, _shop.Windows, _shop.Models, new SharedModels(), _shop.Cache, new TrainingPolicy(), Microsoft.Extensions.Options.Options.Create(Options), _clock, NullLogger<TrainingTriggers>.Instance);
        await LookAsync(triggers);
        for (int look = 0; look < 10; look++)
        {
            Shop(alike: true);
            await LookAsync(triggers);
            Assert.True(queue.Idle);
        }
        for (int look = 0; look < 10 && queue.Idle; look++)
        {
            Shop(alike: false);
            await LookAsync(triggers);
        }
        Assert.False(queue.Idle);
        TrainingRecord asked = queue.Next()!;
        Assert.Equal(("head", "recall"), (asked.Tempo, asked.Reason));
    }

    [Fact]
    public void Recall_is_what_the_vectors_foretell_and_the_past_is_not_asked_about()
    {
        Shop(alike: true);
        var recall = new PrequentialRecall(_shop.Windows, _shop.Models, new SharedModels(), _shop.Cache, Options, 0.25, _clock);
        recall.Look(TestContext.Current.CancellationToken);
        Assert.True(double.IsNaN(recall.Recall));

        Shop(alike: true);
        recall.Look(TestContext.Current.CancellationToken);
        double alike = recall.Recall;
        var random = new PrequentialRecall(_shop.Windows, _shop.Models, new SharedModels(), _shop.Cache, Options, 0.25, _clock);
        random.Look(TestContext.Current.CancellationToken);
        Shop(alike: false);
        random.Look(TestContext.Current.CancellationToken);
        Assert.Equal(20.0 / ShopFolder.Items, random.Recall, 0.08);
        Assert.True(alike > 2 * random.Recall, $"{alike} against {random.Recall}");
    }

    [Fact]
    public void What_the_model_could_have_learned_is_not_asked_about()
    {
        var recall = new PrequentialRecall(_shop.Windows, _shop.Models, new SharedModels(), _shop.Cache, Options, 0.25, _clock);
        recall.Look(TestContext.Current.CancellationToken);
        Shop(alike: true);
        ModelManifest live = _shop.Models.Find(_shop.Models.Live!.Value)!;
        using (SentenceEncoder encoder = TinyEncoder.Load())
        using (var model = new EmbeddingModel(encoder, null, new ItemText(), _shop.Cache))
            _shop.Models.PublishLive(live.Model with { WindowHash = "h", WindowAsOf = new Dictionary<int, long> { [0] = _shop.Windows.NextOffset(Topics.Interactions, 0) } }, live.Version, model.Save);
        recall.Look(TestContext.Current.CancellationToken);
        Assert.True(double.IsNaN(recall.Recall));
        Shop(alike: true);
        recall.Look(TestContext.Current.CancellationToken);
        Assert.False(double.IsNaN(recall.Recall));
    }

    private async Task LookAsync(TrainingTriggers triggers)
    {
        _clock.Advance(Options.CheckInterval);
        await triggers.LookAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Fifty new shoppers buy eight items each.</summary>
    private void Shop(bool alike)
    {
        var random = new Random(_shoppers);
        var bought = new List<(string, int)>();
        for (int n = 0; n < 50; n++)
        {
            int[] items = [.. Enumerable.Range(0, ShopFolder.Items).Where(item => !alike || item % 12 == n % 12)];
            random.Shuffle(items);
            bought.AddRange(items.Take(8).Select(item => ($"shopper{_shoppers}", item)));
            _shoppers++;
        }
        _shop.Buy(bought);
    }
}
