using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class PolicyTypeTests : IDisposable
{
    private readonly ShopFolder _shop = new();

    public PolicyTypeTests() => _shop.MakeBaseLive();

    [Theory]
    [InlineData(TrainingTempo.Head)]
    [InlineData(TrainingTempo.Encoder)]
    public void A_sentence_transformer_serves_as_it_came(TrainingTempo tempo)
    {
        ModelVersion? live = _shop.Models.Live;
        _shop.Buy(seed: 1);
        TrainingOutcome outcome = _shop.Train(new TrainingPolicy { Type = PolicyType.SentenceTransformer }, tempo);
        Assert.Contains("nothing is trained", outcome.Decision, StringComparison.Ordinal);
        Assert.Equal((live, 1), (_shop.Models.Live, _shop.Models.List().Count));
    }

    [Fact]
    public void Elsa_is_measured_beside_the_model_in_service_and_changes_nothing()
    {
        ModelVersion? live = _shop.Models.Live;
        _shop.Buy(seed: 1);
        TrainingOutcome outcome = _shop.Train(new TrainingPolicy { Type = PolicyType.Elsa });
        Assert.Null(outcome.Published);
        Assert.StartsWith("Compared: ndcg@100 of ELSA 0.", outcome.Decision, StringComparison.Ordinal);
        Assert.Contains("not served", outcome.Decision, StringComparison.Ordinal);
        foreach (string measured in new[] { "elsa", "incumbent", "popularity", "tfidf" })
            Assert.True((double)outcome.Metrics![measured]!["all"]!["ndcg@100"]! > 0, measured);
        Assert.Equal(live, _shop.Models.Live);
        Assert.Equal(outcome.Decision, Assert.Single(_shop.Models.Refusals()).Decision);
    }

    [Fact]
    public void Elsa_without_epochs_has_nothing_to_compare()
    {
        _shop.Buy(seed: 1);
        Assert.Contains("set elsa_epochs", _shop.Train(new TrainingPolicy { Type = PolicyType.Elsa, ElsaEpochs = 0 }).Decision, StringComparison.Ordinal);
    }

    public void Dispose() => _shop.Dispose();
}
