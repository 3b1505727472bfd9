using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>
/// A shop whose customers choose by the maker, which only attributes tell. Who likes one of the first six makers likes one of the others as well; half of the customers have yet to find that out, and what they
/// choose in the end is new and shares no word with anything they had: it has to be learned from the other half.
/// </summary>
public sealed class AttributesTests
{
    private const int Known = 72, Kinds = 12;
    private static readonly string[] Makers = ["acme", "bolt", "crane", "dorn", "ems", "fink", "gall", "hart", "ibis", "jons", "kern", "lund"];
    private static readonly string[] Materials = ["oak", "steel", "glass", "wool", "clay", "paper", "tin", "cork", "silk", "slate", "felt", "brass"];
    private static readonly TrainingPolicy Policy = new() { HeadOutput = 72, MaxOutput = 72, FrozenLayers = 0, HoldoutShare = 0.115, ElsaEpochs = 0 };

    [Theory]
    [InlineData(TrainingTempo.Head, 200, 1)]
    [InlineData(TrainingTempo.Encoder, 1, 100)] // learned in the loop
    public void New_items_are_found_by_what_was_learned_of_their_attributes_where_titles_say_nothing(TrainingTempo tempo, int headSteps, int encoderSteps)
    {
        TrainingPolicy policy = Policy with { HeadSteps = headSteps, EncoderSteps = encoderSteps };
        using ShopFolder shop = Shop(), blind = Shop();
        TrainingOutcome seen = shop.Train(policy, tempo), unseen = blind.Train(policy with { HeadAttributes = false }, tempo);
        Assert.True(seen.Published is not null, seen.Decision);
        (double with, double without, double words) = (NewItems(seen, "challenger"), NewItems(unseen, "challenger"), NewItems(seen, "tfidf"));
        Assert.True(with > 0.8 && without < 0.5 && words < 0.5, $"with attributes {with}, without {without}, words alone {words}");
    }

    [Fact]
    public void The_word_baseline_counts_the_words_of_attributes_where_the_head_does()
    {
        using ShopFolder shop = Shop(), blind = Shop();
        Assert.NotEqual(shop.Train(Policy with { HeadSteps = 1 }).Metrics!["tfidf"]!.ToJsonString(), blind.Train(Policy with { HeadSteps = 1, HeadAttributes = false }).Metrics!["tfidf"]!.ToJsonString());
    }

    [Fact]
    public void A_head_that_does_not_look_at_attributes_goes_on_without_them_until_one_begins_anew()
    {
        using ShopFolder shop = Shop();
        TrainingPolicy policy = Policy with { HeadSteps = 10, MinProbability = 0, Tolerance = 1, CoverageTolerance = 1, ForgettingTolerance = 1, MaxMeanCosine = 2, MinEffectiveRank = 1, MinCanariesFound = 0 };
        Assert.False(Published(policy with { HeadAttributes = false }));
        shop.Buy(seed: 2, each: 1);
        Assert.False(Published(policy));
        shop.Buy(seed: 3, each: 1);
        Assert.True(Published(policy with { WarmStart = WarmStart.Base }));

        bool Published(TrainingPolicy by)
        {
            TrainingOutcome outcome = shop.Train(by);
            Assert.True(outcome.Published is not null, outcome.Decision);
            using EmbeddingModel live = EmbeddingModel.Load(shop.Models.EncoderFolder(outcome.Published.Version), cache: null);
            return live.Head!.Shape.Attributes;
        }
    }

    private static double NewItems(TrainingOutcome outcome, string model) => (double)outcome.Metrics![model]!["cold"]!["recall@20"]!;

    private static ShopFolder Shop()
    {
        var shop = new ShopFolder();
        var random = new Random(5);
        shop.DescribeWithAttributes(_ => $"thing {random.Next(100_000)}", item => $$"""{"maker": "{{Makers[item % Kinds]}}", "made_of": ["{{Materials[item % Kinds]}}", "nails"], "price": {{item}}, "new": true}""");
        shop.MakeBaseLive();
        shop.Buy(from n in Enumerable.Range(0, 10)
                 from user in Enumerable.Range(0, ShopFolder.Users)
                 let knowsBoth = user < ShopFolder.Users / 2
                 where n < 8 || !knowsBoth
                 let maker = user % 6 + (n >= 8 || knowsBoth && random.Next(2) == 0 ? 6 : 0)
                 select ($"u{user:000}", n < 8 ? random.Next(Known / Kinds) * Kinds + maker : Known + random.Next((ShopFolder.Items - Known) / Kinds) * Kinds + maker));
        return shop;
    }
}
