using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using Microsoft.Extensions.Hosting;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>How items become texts is a model's own: a change of the configuration comes with a model that began anew, through the gate, or not at all.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class TemplateTests : IDisposable
{
    private static readonly ItemText Other = new("{title}, made by {attributes.maker}");
    private static readonly TrainingPolicy Policy = new() { HeadSteps = 40, HeadWarmSteps = 10, HeadOutput = 64, EncoderSteps = 10, MaxOutput = 64, Lr = 3e-3, FrozenLayers = 0, ElsaEpochs = 0 };
    private readonly ShopFolder _shop = new();

    public TemplateTests()
    {
        _shop.DescribeWithAttributes(TinyEncoder.Text, item => $$"""{"maker": "red garden {{item % 4}}"}""");
        _shop.Buy(seed: 1);
    }

    public void Dispose() => _shop.Dispose();

    [Theory]
    [InlineData(TrainingTempo.Head)]
    [InlineData(TrainingTempo.Encoder)]
    public void A_training_that_goes_on_keeps_the_template_and_one_that_begins_anew_takes_the_configured_one(TrainingTempo tempo)
    {
        _shop.MakeBaseLive();
        _shop.ItemText = Other;
        Assert.Equal(new ItemText(), Live(_shop.Train(Policy, tempo)));
        _shop.Buy(seed: 2, each: 3);
        TrainingOutcome anew = _shop.Train(Policy with { WarmStart = WarmStart.Base, MinProbability = 0, Tolerance = 1, CoverageTolerance = 1, ForgettingTolerance = 1 }, tempo);
        Assert.Equal(Other, Live(anew));
        Assert.Equal(Other.Template, (string?)anew.Published!.Model.HyperParameters["item_text"]);

        _shop.ItemText = new ItemText();
        _shop.Buy(seed: 3, each: 3);
        Assert.Equal(Other, Live(_shop.Train(Policy with { MinProbability = 0, Tolerance = 1, CoverageTolerance = 1, ForgettingTolerance = 1 }, tempo)));
    }

    [Fact]
    public void Models_of_two_templates_are_compared_each_by_its_own_texts()
    {
        using var twin = new ShopFolder { ItemText = Other };
        twin.DescribeWithAttributes(TinyEncoder.Text, item => $$"""{"maker": "red garden {{item % 4}}"}""");
        twin.Buy(seed: 1);
        twin.MakeBaseLive();
        _shop.MakeBaseLive();
        string byOther = Measured(twin.Train(Policy), "incumbent"), byDefault = Measured(_shop.Train(Policy), "incumbent");
        Assert.NotEqual(byDefault, byOther);

        // The same incumbents, challenged by a model of the other template.
        using var third = new ShopFolder { ItemText = Other };
        third.DescribeWithAttributes(TinyEncoder.Text, item => $$"""{"maker": "red garden {{item % 4}}"}""");
        third.Buy(seed: 1);
        third.MakeBaseLive();
        third.ItemText = new ItemText();
        Assert.Equal(byOther, Measured(third.Train(Policy with { WarmStart = WarmStart.Base }), "incumbent"));
    }

    [Fact]
    public async Task The_first_model_takes_the_configured_template_and_keeps_it_when_the_configuration_changes()
    {
        await StartAsync(Other.Template);
        ModelVersion first = _shop.Models.Live!.Value;
        await StartAsync("{title}!");
        Assert.Equal(first, _shop.Models.Live);
        using EmbeddingModel live = new SharedModels().Rent(_shop.Models.EncoderFolder(first), cache: null);
        Assert.Equal((Other, _shop.Models.Find(first)!.Model.Fingerprint), (live.Text, live.Fingerprint));

        async Task StartAsync(string template)
        {
            using IHost host = TrainerHostingTests.Host(_shop, new()
            {
                ["Encoder:Path"] = Path.Combine(Golden.RepositoryRoot(), "tests", "golden", "beeformer", "encoder"), ["Encoder:MaxSequenceLength"] = "32", ["Encoder:ItemText"] = template,
                ["Trainer:EveryInteractions"] = "0", ["Trainer:Every"] = "00:00:00",
            });
            await host.StartAsync(TestContext.Current.CancellationToken);
            await host.StopAsync(TestContext.Current.CancellationToken);
        }
    }

    private ItemText Live(TrainingOutcome outcome)
    {
        Assert.True(outcome.Published is not null, outcome.Decision);
        using EmbeddingModel live = EmbeddingModel.Load(_shop.Models.EncoderFolder(outcome.Published.Version), cache: null);
        Assert.Equal(outcome.Published.Model.Fingerprint, live.Fingerprint);
        return live.Text;
    }

    private static string Measured(TrainingOutcome outcome, string model) => outcome.Metrics![model]!["all"]!.ToJsonString();
}
