using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Shoppers choose by one of six patterns that only the pictures show; texts are drawn without regard to it. New items, never trained on, are to be found.</summary>
public sealed class TextImageTrainingTests : IDisposable
{
    private const int Known = 36, New = 12, Users = 36;
    private static readonly TrainingPolicy Policy = new() { EncoderSteps = 30, MaxOutput = 36, Lr = 3e-3, EmbedderBatchSize = 12, CheckpointEvery = TimeSpan.FromHours(1), UseImages = true };

    private readonly string _folder = Directory.CreateTempSubdirectory("pictures-").FullName;
    private readonly string[] _texts, _urls = [.. Enumerable.Range(0, Known + New).Select(item => $"{item}.png")];
    private readonly PictureFolder _pictures;
    private readonly InteractionMatrix _interactions;
    private readonly TextImageEncoder _start = TextImageEncoder.Load(Path.Combine(Golden.Folder("encoder"), "tiny-clip", "model"));

    public TextImageTrainingTests()
    {
        var random = new Random(1);
        _texts = [.. _urls.Select(_ => $"item {random.Next(100_000)}")];
        _pictures = new PictureFolder(_folder);
        for (int item = 0; item < _urls.Length; item++) File.WriteAllBytes(Path.Combine(_folder, _urls[item]), PatternPicture.Png(item % PatternPicture.Kinds, random));
        (int User, int Item)[] chosen = [.. from user in Enumerable.Range(0, Users) from item in Enumerable.Range(0, Known) where user % PatternPicture.Kinds == item % PatternPicture.Kinds && random.NextDouble() < 0.8 select (user, item)];
        _interactions = InteractionMatrix.FromPairs(Users, Known + New, [.. chosen.Select(c => c.User)], [.. chosen.Select(c => c.Item)]);
    }

    [Fact]
    public void Training_with_pictures_finds_new_items_by_what_only_pictures_show()
    {
        float untrained = RecallOfNewItems(new ItemEncoder(_start));
        using ItemEncoder with = Train(new ItemEncoder(_start)).Encoder, without = Train(new ItemEncoder(_start.Text)).Encoder;
        (float seen, float unseen) = (RecallOfNewItems(with), RecallOfNewItems(without));
        Assert.True(seen >= untrained + 0.15f && seen >= unseen + 0.3f, $"with pictures {seen}, untrained {untrained}, texts alone {unseen}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Trained_twice_or_stopped_and_resumed_the_towers_and_the_weight_are_the_same_bit_for_bit(bool headInLoop)
    {
        TrainingPolicy policy = Policy with { EncoderSteps = 4 };
        var checkpoints = new TrainingCheckpoints(Directory.CreateDirectory(Path.Combine(_folder, "checkpoints")).FullName);
        string straight = Fingerprint(null, stopAt: null);
        Assert.NotEqual(_start.Fingerprint.Value, straight);
        Assert.Equal(straight, Fingerprint(null, stopAt: null));
        var begun = new CheckpointedTraining(Guid.NewGuid(), "live", _start.Fingerprint.Value, "", new WindowQuery(), new Dictionary<int, long>(), "", policy, new EncoderCounters(0, 0, 0, 1), TimeSpan.Zero, Ended: false, Validation: null);
        Assert.Throws<OperationCanceledException>(() => Fingerprint(begun, stopAt: 2));
        Interruption left = checkpoints.Find()!;
        Assert.Equal(2, left.Training!.Counters.Step);
        Assert.Equal(straight, Fingerprint(left.Training, stopAt: null, left.File));

        string Fingerprint(CheckpointedTraining? training, int? stopAt, string? from = null)
        {
            using var stop = new CancellationTokenSource();
            EncoderCheckpoint? checkpoint = training is null ? null : new EncoderCheckpoint(checkpoints, training, from, NullLogger.Instance, stop.Token);
            Head? head = headInLoop ? Head.Create(_start.Dimension, _texts, seed: 1) : null;
            (ItemEncoder trained, Head? learned) = Train(new ItemEncoder(_start), policy, head, checkpoint, new ImmediateProgress<EncoderTrainingProgress>(p => { if (p.Step == stopAt) stop.Cancel(); }), stop.Token);
            using (trained) return trained.Fingerprint.Value + learned?.Fingerprint.Value;
        }
    }

    [Fact]
    public void No_step_leaves_a_tensor_behind()
    {
        var live = new List<long>();
        using ItemEncoder trained = Train(new ItemEncoder(_start), Policy with { EncoderSteps = 6 }, progress: new ImmediateProgress<EncoderTrainingProgress>(_ => live.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount))).Encoder;
        Assert.Equal(6, live.Count);
        Assert.Single(live.Skip(1).Distinct());
    }

    [Fact]
    public void A_picture_that_cannot_be_decoded_leaves_its_item_to_the_text_and_is_counted()
    {
        File.WriteAllText(Path.Combine(_folder, _urls[3]), "no picture");
        using ItemEncoder trained = Train(new ItemEncoder(_start), Policy with { EncoderSteps = 2 }).Encoder;
        Assert.Equal(1, _pictures.RefusedCount);
        EmbeddingMatrix vectors = trained.Encode(_texts, _urls, _pictures, cache: null, cancellationToken: TestContext.Current.CancellationToken), texts = trained.Encode(_texts, null, _pictures, cache: null, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(texts.Row(3).ToArray(), vectors.Row(3).ToArray());
        Assert.NotEqual(texts.Row(4).ToArray(), vectors.Row(4).ToArray());
    }

    private (ItemEncoder Encoder, Head? Head) Train(ItemEncoder encoder, TrainingPolicy? policy = null, Head? head = null, EncoderCheckpoint? checkpoint = null, IProgress<EncoderTrainingProgress>? progress = null, CancellationToken? cancellationToken = null) =>
        EncoderTrainer.Train(encoder, head, _texts, _interactions, policy ?? Policy, TimeProvider.System, null, progress, cancellationToken ?? TestContext.Current.CancellationToken, checkpoint: checkpoint,
            pixels: item => _pictures.TryPixels(_urls[item], encoder.Both!.Image));

    /// <summary>Share of the new items of a shopper's pattern among as many ranked first, mean over shoppers.</summary>
    private float RecallOfNewItems(ItemEncoder encoder)
    {
        EmbeddingMatrix e = encoder.Encode(_texts, _urls, _pictures, cache: null, cancellationToken: TestContext.Current.CancellationToken);
        for (int item = 0; item < e.Rows; item++) RowArithmetic.Normalize(e.Row(item));
        const int Wanted = New / PatternPicture.Kinds;
        return Enumerable.Range(0, Users).Average(user =>
        {
            var profile = new float[e.Dimension];
            foreach (int item in _interactions.ItemsOf(user)) RowArithmetic.AddScaled(e.Row(item), 1, profile);
            return Enumerable.Range(Known, New).OrderByDescending(item => RowArithmetic.Dot(profile, e.Row(item))).Take(Wanted).Count(item => item % PatternPicture.Kinds == user % PatternPicture.Kinds) / (float)Wanted;
        });
    }

    public void Dispose()
    {
        _start.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
