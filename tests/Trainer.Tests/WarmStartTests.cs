using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class WarmStartTests : IDisposable
{
    private static readonly TrainingPolicy Policy = new() { HeadSteps = 60, HeadWarmSteps = 10, HeadOutput = 64, EncoderSteps = 8, MaxOutput = 64, Lr = 3e-3, FrozenLayers = 0, ValidateEvery = 5 };
    private readonly ShopFolder _shop = new();

    public WarmStartTests()
    {
        _shop.MakeBaseLive();
        _shop.Buy(seed: 1);
    }

    [Fact]
    public void From_the_base_a_head_is_what_it_would_be_without_incumbent()
    {
        using var twin = new ShopFolder();
        twin.MakeBaseLive();
        twin.Buy(seed: 1);
        twin.Buy(seed: 2, each: 2);
        Assert.NotNull(_shop.Train(Policy).Published);
        _shop.Buy(seed: 2, each: 2);
        JsonNode fresh = Challenger(twin.Train(Policy)), fromBase = Challenger(_shop.Train(Policy with { WarmStart = WarmStart.Base }));
        Assert.Equal(fresh.ToJsonString(), fromBase.ToJsonString());
    }

    [Theory]
    [InlineData(TrainingTempo.Head)]
    [InlineData(TrainingTempo.Encoder)]
    public void Of_both_starts_the_better_one_goes_on_and_the_numbers_of_both_are_kept(TrainingTempo tempo)
    {
        Assert.NotNull(_shop.Train(Policy).Published);
        _shop.Buy(seed: 2, each: 3);
        JsonObject learning = _shop.Train(Policy with { WarmStart = WarmStart.Both, HeadWarmSteps = 1, HeadSteps = 80 }, tempo).Metrics!["learning"]!.AsObject();
        JsonObject start = learning["start"]!.AsObject();
        double Value(string of) => 0.5 * (double)start[of]!["warm"]!["ndcg@100"]! + 0.5 * (start[of]!["cold"]!["ndcg@100"] is { } cold ? (double)cold : (double)start[of]!["warm"]!["ndcg@100"]!);
        Assert.Equal(Value("base") > Value("incumbent") ? "base" : "incumbent", (string?)start["chosen"]);
        Assert.NotEqual(Value("base"), Value("incumbent"));
        Assert.True((int)learning["validation"]!["users"]! >= Policy.MinHoldoutUsers);
        Assert.Null(learning["encoder"]); // nobody asked for early stopping
    }

    [Fact]
    public void An_encoder_starts_from_the_base_where_the_policy_says_so()
    {
        _shop.MakeOtherDimensionLive(16);
        Assert.Equal(32, _shop.Train(Policy with { WarmStart = WarmStart.Base }, TrainingTempo.Encoder).Published!.Model.Dimension);
    }

    [Fact]
    public void A_damaged_base_is_named_and_the_training_starts_from_the_incumbent()
    {
        string file = Path.Combine(_shop.Models.EncoderFolder(_shop.Models.Live!.Value), "model.safetensors");
        _shop.MakeOtherDimensionLive(16);
        File.Delete(file); // a name of its own: the other version keeps its bytes
        TrainingOutcome outcome = _shop.Train(Policy with { WarmStart = WarmStart.Base }, TrainingTempo.Encoder);
        Assert.Equal(16, outcome.Published!.Model.Dimension);
        Assert.Contains(file, (string?)outcome.Metrics!["learning"]!["start_problem"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TrainingTempo.Head)]
    [InlineData(TrainingTempo.Encoder)]
    public void Validated_and_averaged_a_model_goes_live_with_its_record_and_is_the_same_each_time(TrainingTempo tempo)
    {
        TrainingPolicy policy = Policy with { ValidationShare = 0.2, WeightAveraging = 0.3, EncoderSteps = 15 };
        using var twin = new ShopFolder();
        twin.MakeBaseLive();
        twin.Buy(seed: 1);
        TrainingOutcome outcome = _shop.Train(policy, tempo);
        Assert.True(outcome.Published is not null, outcome.Decision);
        Assert.Equal(outcome.Published.Model.Fingerprint, twin.Train(policy, tempo).Published!.Model.Fingerprint);
        JsonObject learning = outcome.Published.Model.Metrics["learning"]!.AsObject();
        string[] learned = tempo == TrainingTempo.Head ? ["head_from_base"] : ["encoder", "head_from_incumbent"];
        foreach (string part in learned) Assert.True((int)learning[part]!["looks"]! >= 2 && (double)learning[part]!["best"]! > 0);
    }

    private static JsonNode Challenger(TrainingOutcome outcome) => outcome.Metrics!["challenger"]!;

    public void Dispose() => _shop.Dispose();
}
