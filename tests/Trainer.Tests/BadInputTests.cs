using System.Runtime.InteropServices;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Hosting;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>What a shop may throw at a training beside what <see cref="TrainingRunTests"/> holds: an outcome in words each time, and no other model in service than one that was promoted.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class BadInputTests : IDisposable
{
    private static readonly TrainingPolicy Policy = new() { HeadSteps = 20, HeadWarmSteps = 10, HeadOutput = 64, EncoderSteps = 3, MaxOutput = 32, Lr = 1e-3, FrozenLayers = 0 };
    private readonly ShopFolder _shop = new();

    public BadInputTests() => _shop.MakeBaseLive();

    [Theory]
    [InlineData(TrainingTempo.Head)]
    [InlineData(TrainingTempo.Encoder)]
    public void One_item_teaches_nothing(TrainingTempo tempo)
    {
        _shop.Buy(Enumerable.Range(0, 200).Select(n => ($"u{n % 50}", 7)));
        Skipped(_shop.Train(Policy, tempo), "1 items; at least two of each");
    }

    [Theory]
    [InlineData(TrainingTempo.Head)]
    [InlineData(TrainingTempo.Encoder)]
    public void Users_who_all_do_the_same_are_judged_like_others(TrainingTempo tempo)
    {
        _shop.Buy(Enumerable.Range(0, 20).SelectMany(item => Enumerable.Range(0, 50).Select(user => ($"u{user}", item))));
        Judged(_shop.Train(Policy, tempo));
    }

    [Theory]
    [InlineData(TrainingTempo.Head, "")]
    [InlineData(TrainingTempo.Encoder, "")]
    [InlineData(TrainingTempo.Head, "far too long")]
    [InlineData(TrainingTempo.Encoder, "far too long")]
    public void Items_without_text_and_with_one_that_is_cut_are_trained_with_the_others(TrainingTempo tempo, string text)
    {
        string title = string.Concat(Enumerable.Repeat(text + " ", 5_000)).Trim();
        StoredItem[] items = [.. Enumerable.Range(0, ShopFolder.Items / 2).Select(n => new StoredItem(0, ShopFolder.Items + n, new ItemId($"i{n:000}"),
            new ItemEvent(new ItemId($"i{n:000}"), title, null, new Dictionary<string, JsonElement>(), null, true, 2)))];
        Assert.True(_shop.Windows.TryWriteItems(0, ShopFolder.Items, ShopFolder.Items + items.Length - 1, items));
        _shop.Buy(seed: 1);
        Judged(_shop.Train(Policy, tempo));
    }

    [Theory]
    [InlineData(TrainingTempo.Head, HeadKind.Words, Batching.Items)]
    [InlineData(TrainingTempo.Encoder, HeadKind.Words, Batching.Items)]
    [InlineData(TrainingTempo.Encoder, HeadKind.None, Batching.Items)]
    [InlineData(TrainingTempo.Encoder, HeadKind.None, Batching.Users)]
    public void Steps_larger_than_the_shop_take_all_of_it(TrainingTempo tempo, HeadKind head, Batching batching)
    {
        _shop.Buy(seed: 1);
        Judged(_shop.Train(Policy with { MaxOutput = 1_000_000, HeadOutput = 1_000_000, BatchSize = ColumnSampler.MaxRows, EmbedderBatchSize = 65_536, TopK = 1_000_000, Head = head, Batching = batching }, tempo));
    }

    [Theory]
    [InlineData(HeadKind.Words, Batching.Items)]
    [InlineData(HeadKind.None, Batching.Items)]
    [InlineData(HeadKind.None, Batching.Users)]
    public void Steps_of_one_user_and_one_item_run(HeadKind head, Batching batching)
    {
        _shop.Buy(seed: 1);
        Judged(_shop.Train(Policy with { MaxOutput = 1, HeadOutput = 2, BatchSize = 1, EmbedderBatchSize = 1, Head = head, Batching = batching }, TrainingTempo.Encoder));
    }

    [Fact]
    public void One_item_a_step_becomes_two_since_one_alone_teaches_nothing()
    {
        InteractionMatrix tastes = TinyEncoder.Tastes(users: 30, items: 60, seed: 1);
        Assert.Equal(2, new ColumnSampler(tastes, 1).Items(1).Columns.Length);
        Assert.Equal(2, new ItemSampler(ModelTraining.Columns(tastes), 100, 1).Draw(1).Items.Length);
    }

    [Theory]
    [InlineData(TrainingTempo.Head)]
    [InlineData(TrainingTempo.Encoder)]
    public void A_device_that_this_machine_lacks_is_said_before_anything_is_read(TrainingTempo tempo)
    {
        Assert.SkipWhen(TorchSharp.torch.cuda.is_available(), "This machine has a CUDA device.");
        Skipped(_shop.Train(Policy with { Device = "cuda" }, tempo), "no CUDA device");
    }

    [Fact]
    public async Task A_configured_device_that_this_machine_lacks_stops_the_start()
    {
        Assert.SkipWhen(TorchSharp.torch.cuda.is_available(), "This machine has a CUDA device.");
        using IHost host = TrainerHostingTests.Host(_shop, [], Policy with { Device = "cuda:1" });
        Assert.Contains("'cuda:1'", (await Assert.ThrowsAsync<InvalidDataException>(() => host.StartAsync(TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TrainingTempo.Head, "learning the head needs")]
    [InlineData(TrainingTempo.Encoder, "this training needs")]
    public void A_training_that_cannot_keep_within_its_memory_is_skipped_with_what_it_needs(TrainingTempo tempo, string expected)
    {
        _shop.Buy(seed: 1);
        Skipped(_shop.Train(Policy with { MaxMemory = 16 }, tempo), expected);
    }

    [Fact]
    public async Task A_first_encoder_whose_weights_are_no_numbers_stops_the_start_and_is_named()
    {
        string folder = Directory.CreateTempSubdirectory("trainer-tests-").FullName;
        try
        {
            using (SentenceEncoder encoder = TinyEncoder.Load())
            {
                using (TorchSharp.torch.no_grad()) MemoryMarshal.Cast<byte, float>(encoder.Parameters[3].Value.bytes)[0] = float.NaN;
                encoder.Save(folder);
            }
            using var empty = new ShopFolder();
            using IHost host = TrainerHostingTests.Host(empty, new() { ["Encoder:Path"] = folder, ["Encoder:MaxSequenceLength"] = "32" });
            string message = (await Assert.ThrowsAsync<InvalidDataException>(() => host.StartAsync(TestContext.Current.CancellationToken))).Message;
            Assert.StartsWith($"{folder}: its weights hold values that are not finite numbers.", message, StringComparison.Ordinal);
            Assert.Null(empty.Models.Live);
            Assert.Empty(empty.Models.List());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Skipped(TrainingOutcome outcome, string expected)
    {
        Assert.Contains(expected, outcome.Decision, StringComparison.Ordinal);
        Assert.Null(outcome.Metrics);
        Assert.Equal(_shop.Models.List().Single().Version, _shop.Models.Live);
        Assert.Empty(_shop.Models.Refusals());
    }

    private void Judged(TrainingOutcome outcome)
    {
        Assert.Matches("^(Promoted|Refused): ", outcome.Decision);
        Assert.Equal(outcome.Published?.Version ?? _shop.Models.List()[0].Version, _shop.Models.Live);
        Assert.Equal(outcome.Published is null ? 1 : 0, _shop.Models.Refusals().Count);
    }

    public void Dispose() => _shop.Dispose();
}
