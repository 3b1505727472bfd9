using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using Microsoft.Extensions.Hosting;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>A shop whose customers choose by one of six patterns that only the pictures show; what they choose last is new.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class PicturedShopTests
{
    private const int Known = 72;
    private static readonly string s_clip = Path.Combine(Golden.Folder("encoder"), "tiny-clip", "model");
    private static readonly TrainingPolicy Policy = new()
    {
        UseImages = true, HeadSteps = 40, HeadWarmSteps = 10, HeadOutput = 64, EncoderSteps = 40, MaxOutput = 72, Lr = 3e-3, HoldoutShare = 0.115, MinCanariesFound = 0, ElsaEpochs = 0, CheckpointEvery = TimeSpan.Zero,
    };

    [Theory]
    [InlineData(HeadKind.None)]
    [InlineData(HeadKind.Words)]
    public void A_model_that_learned_from_pictures_is_published_and_finds_new_items_better_than_texts_alone(HeadKind head)
    {
        using ShopFolder shop = Shop(pictures: true), blind = Shop(pictures: false);
        File.WriteAllText(Path.Combine(shop.PicturesFolder, "95.png"), "no picture");
        TrainingOutcome seen = shop.Train(Policy with { Head = head }, TrainingTempo.Encoder), unseen = blind.Train(Policy with { Head = head, UseImages = false }, TrainingTempo.Encoder);

        Assert.True(seen.Published is not null, seen.Decision);
        (double with, double without, double before) = (NewItems(seen, "challenger"), NewItems(unseen, "challenger"), NewItems(seen, "incumbent"));
        Assert.True(with > without + 0.1 && with > before + 0.02, $"with pictures {with}, texts alone {without}, untrained with pictures {before}");
        Assert.Equal(1, shop.Pictures!.RefusedCount);

        var shared = new SharedModels(pictures: shop.Pictures);
        using EmbeddingModel live = shared.Rent(shop.Models.EncoderFolder(seen.Published.Version), shop.Cache);
        Assert.Equal(seen.Published.Model.Fingerprint, live.Fingerprint);
        EmbeddingMatrix vectors = live.EmbedItems(["thing", "thing", "thing"], ["thing", "thing", "thing"], ["1.png", "2.png", "95.png"], cancellationToken: TestContext.Current.CancellationToken);
        Assert.NotEqual(vectors.Row(0).ToArray(), vectors.Row(1).ToArray());
        Assert.All(live.EmbedTexts(["thing"], cancellationToken: TestContext.Current.CancellationToken).Values.Zip(vectors.Row(2).ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.NotEqual(1, live.ItemEncoder.Both!.Weight);
    }

    [Fact]
    public void The_head_tempo_learns_over_texts_with_pictures_and_keeps_both_towers()
    {
        using ShopFolder shop = Shop(pictures: true);
        TrainingOutcome outcome = shop.Train(Policy with { HeadSteps = 200, HeadLr = 0.01, HeadWordLr = 0, MinProbability = 0.8 }); // no words: what is learned is seen
        Assert.True(outcome.Published is not null, outcome.Decision);
        using EmbeddingModel live = EmbeddingModel.Load(shop.Models.EncoderFolder(outcome.Published.Version), null);
        using TextImageEncoder start = TextImageEncoder.Load(s_clip);
        Assert.Equal(start.Fingerprint, live.ItemEncoder.Fingerprint);
        Assert.NotNull(live.Head);
    }

    [Theory]
    [InlineData(true, "folder of pictures")]
    [InlineData(false, "live model is one of texts alone")]
    public void A_policy_that_asks_for_pictures_which_cannot_be_had_is_refused_in_a_sentence(bool pictured, string expected)
    {
        using ShopFolder shop = pictured ? new ShopFolder() : Shop(pictures: false);
        if (pictured) shop.MakeBaseLive();
        string[] before = shop.ModelFiles();
        Assert.Contains(expected, shop.Train(Policy, TrainingTempo.Encoder).Decision, StringComparison.Ordinal);
        Assert.Equal(before, shop.ModelFiles());
    }

    [Theory]
    [InlineData("encoder/tiny-clip/model", true, null)]
    [InlineData("encoder/tiny-clip/model", false, "Images:Folder")]
    [InlineData("beeformer/encoder", true, "no image tower that can be used")]
    public async Task The_first_model_has_both_towers_or_the_start_says_what_is_missing(string encoder, bool withFolder, string? problem)
    {
        using var shop = new ShopFolder();
        Dictionary<string, string?> settings = new() { ["Encoder:Path"] = Path.Combine(Golden.RepositoryRoot(), "tests", "golden", encoder), ["Encoder:MaxSequenceLength"] = "16", ["Trainer:EveryInteractions"] = "0", ["Trainer:Every"] = "00:00:00" };
        if (withFolder) settings["Images:Folder"] = Path.GetTempPath();
        using IHost host = TrainerHostingTests.Host(shop, settings, Policy);
        CancellationToken token = TestContext.Current.CancellationToken;
        if (problem is not null)
        {
            Assert.Contains(problem, (await Assert.ThrowsAsync<InvalidDataException>(() => host.StartAsync(token))).Message, StringComparison.Ordinal);
            Assert.Null(shop.Models.Live);
            return;
        }
        await host.StartAsync(token);
        await host.StopAsync(token);
        using EmbeddingModel live = EmbeddingModel.Load(shop.Models.EncoderFolder(shop.Models.Live!.Value), null);
        Assert.Equal(1, live.ItemEncoder.Both!.Weight);
    }

    [Fact]
    public void Keys_that_do_not_go_with_pictures_are_named()
    {
        var pictures = new PictureFolder(Path.GetTempPath());
        Assert.Null(PicturePolicy.Problem(Policy, pictures));
        Assert.Null(PicturePolicy.Problem(Policy with { UseImages = false, MaxMemory = 1000 }, pictures: null));
        Assert.Contains("train_distributed", PicturePolicy.Problem(Policy with { TrainDistributed = true }, pictures), StringComparison.Ordinal);
        Assert.Contains("device: cpu", PicturePolicy.Problem(Policy with { Device = "cuda" }, pictures), StringComparison.Ordinal);
        Assert.Contains("max_memory", PicturePolicy.Problem(Policy with { MaxMemory = 1000 }, pictures), StringComparison.Ordinal);
        Assert.Contains("Images:Folder", PicturePolicy.Problem(Policy, pictures: null), StringComparison.Ordinal);
    }

    [Fact]
    public void A_live_model_with_pictures_is_not_trained_without_them()
    {
        using ShopFolder shop = Shop(pictures: true);
        Assert.Contains("live model is one of texts and pictures", shop.Train(Policy with { UseImages = false }).Decision, StringComparison.Ordinal);
    }

    private static double NewItems(TrainingOutcome outcome, string model) => (double)outcome.Metrics![model]!["cold"]!["ndcg@100"]!;

    private static ShopFolder Shop(bool pictures)
    {
        var shop = new ShopFolder();
        var random = new Random(5);
        shop.DescribeWithPictures(_ => $"thing {random.Next(100_000)}", item => PatternPicture.Png(item % PatternPicture.Kinds, random));
        using TextImageEncoder encoder = TextImageEncoder.Load(s_clip);
        shop.MakeLive(pictures ? new ItemEncoder(encoder) : new ItemEncoder(encoder.Text), parent: null);
        shop.Buy(from n in Enumerable.Range(0, 9)
                 from user in Enumerable.Range(0, ShopFolder.Users)
                 let kind = user % PatternPicture.Kinds
                 select ($"u{user:000}", n < 8 ? random.Next(Known / PatternPicture.Kinds) * PatternPicture.Kinds + kind : Known + random.Next((ShopFolder.Items - Known) / PatternPicture.Kinds) * PatternPicture.Kinds + kind));
        return shop;
    }
}
