using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Real stores in a temporary folder, with a small shop's catalogue and the tiny encoder live as base model.</summary>
internal sealed class ShopFolder : IDisposable
{
    public const int Items = 96, Users = 120;

    private readonly string _folder = Directory.CreateTempSubdirectory("trainer-tests-").FullName;
    private long _next;
    private PictureFolder? _pictures;

    public ShopFolder()
    {
        Windows = new ParquetWindowStore(Path.Combine(_folder, "windows"));
        Models = new FolderModelStore(Path.Combine(_folder, "models"), TimeProvider.System);
        Trainings = new FolderTrainingRecords(ModelStoreServices.TrainingsIn(Path.Combine(_folder, "models")));
        Cache = new EncoderOutputCache(Path.Combine(_folder, "cache"));
        StoredItem[] items = [.. Enumerable.Range(0, Items).Select(n => new StoredItem(0, n, new ItemId($"i{n:000}"),
            new ItemEvent(new ItemId($"i{n:000}"), TinyEncoder.Text(n), null, new Dictionary<string, JsonElement>(), null, true, 1)))];
        Assert.True(Windows.TryWriteItems(0, 0, Items - 1, items));
    }

    public ParquetWindowStore Windows { get; }
    public FolderModelStore Models { get; }
    public FolderTrainingRecords Trainings { get; }
    public TrainingCheckpoints Checkpoints => new(Path.Combine(_folder, "checkpoints"));
    public ILeases Leases(TimeProvider time) => ModelStore.Leases.InFolder(LeaseFolder, time);
    public string LeaseFolder => ModelStoreServices.LeasesIn(Path.Combine(_folder, "models"));
    public EncoderOutputCache Cache { get; }

    /// <summary>As configured.</summary>
    public ItemText ItemText { get; set; } = new();

    /// <summary>All that says which models there are and which is live: every file of the model store but locks and training records.</summary>
    public string[] ModelFiles() =>
        [.. new[] { "models", "refusals", "retired" }.SelectMany(part => Directory.GetFileSystemEntries(Path.Combine(_folder, "models", part), "*", SearchOption.AllDirectories)).Order(StringComparer.Ordinal), $"{Models.Live}"];

    public void MakeBaseLive()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        MakeLive(encoder, parent: null);
    }

    /// <summary>Another encoder goes live: the base with a Dense module that makes its vectors shorter.</summary>
    public void MakeOtherDimensionLive(int dimension)
    {
        string folder = Path.Combine(_folder, "other-encoder"), dense = Path.Combine(folder, "2_Dense");
        using SentenceEncoder start = TinyEncoder.Load();
        start.Save(folder);
        Directory.CreateDirectory(dense);
        var random = new Random(1);
        SafetensorsWriter.Write(Path.Combine(dense, "model.safetensors"),
            [SafetensorsTensor.Of("linear.weight", [.. Enumerable.Range(0, dimension * start.Dimension).Select(_ => random.NextSingle() - 0.5f)], dimension, start.Dimension)]);
        File.WriteAllText(Path.Combine(dense, "config.json"),
            $$"""{"in_features": {{start.Dimension}}, "out_features": {{dimension}}, "bias": false, "activation_function": "torch.nn.modules.linear.Identity"}""");
        string modules = Path.Combine(folder, "modules.json");
        var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(modules))!.AsArray();
        json.Add(new System.Text.Json.Nodes.JsonObject { ["idx"] = 2, ["name"] = "2", ["path"] = "2_Dense", ["type"] = "sentence_transformers.models.Dense" });
        File.WriteAllText(modules, json.ToJsonString());
        using SentenceEncoder encoder = SentenceEncoder.Load(folder);
        Assert.Equal(dimension, encoder.Dimension);
        MakeLive(encoder, Models.Live);
    }

    private void MakeLive(SentenceEncoder encoder, ModelVersion? parent) => MakeLive(new ItemEncoder(encoder), parent);

    public void MakeLive(ItemEncoder encoder, ModelVersion? parent)
    {
        using var model = new EmbeddingModel(encoder, null, ItemText, Cache, pictures: null);
        ModelManifest manifest = Models.Publish(new ModelDraft(model.Fingerprint, model.Dimension, parent, null, new Dictionary<int, long>(), [], [], "made for a test"), model.Save);
        Assert.True(Models.TryMoveLive(parent, manifest.Version));
    }

    /// <summary>Every user buys items of a noun group of their own, in an order drawn by the seed.</summary>
    public void Buy(int seed, int users = Users, int each = 10, long? at = null)
    {
        var random = new Random(seed);
        var rows = new List<StoredInteraction>();
        for (int n = 0; n < each; n++)
            for (int user = 0; user < users; user++)
            {
                var item = new ItemId($"i{random.Next(Items / 6) * 6 + user % 6:000}");
                long offset = _next++;
                rows.Add(new StoredInteraction(offset, $"e{offset}", new UserId($"u{user:000}"), item, "purchase", null, at ?? 1_000 + offset, null));
            }
        if (rows.Count > 0) Assert.True(Windows.TryWriteInteractions(0, rows[0].Offset, rows[^1].Offset, rows));
    }

    /// <summary>The shop describes an item anew.</summary>
    public void Describe(int item, string title)
    {
        long next = Windows.NextOffset(Topics.Items, 0);
        Assert.True(Windows.TryWriteItems(0, next, next, [new StoredItem(0, next, new ItemId($"i{item:000}"), new ItemEvent(new ItemId($"i{item:000}"), title, null, new Dictionary<string, JsonElement>(), null, true, 1))]));
    }

    /// <summary>The shop describes all items anew, with attributes.</summary>
    /// <param name="attributes">JSON of an item's.</param>
    public void DescribeWithAttributes(Func<int, string> title, Func<int, string> attributes)
    {
        long next = Windows.NextOffset(Topics.Items, 0);
        StoredItem[] items = [.. Enumerable.Range(0, Items).Select(n => new StoredItem(0, next + n, new ItemId($"i{n:000}"),
            new ItemEvent(new ItemId($"i{n:000}"), title(n), null, JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(attributes(n))!, null, true, 1)))];
        Assert.True(Windows.TryWriteItems(0, next, next + Items - 1, items));
    }

    /// <summary>The shop describes all items anew, each with a picture.</summary>
    /// <param name="picture">Bytes of an item's file.</param>
    public void DescribeWithPictures(Func<int, string> title, Func<int, byte[]> picture)
    {
        Directory.CreateDirectory(PicturesFolder);
        _pictures = new PictureFolder(PicturesFolder);
        for (int n = 0; n < Items; n++) File.WriteAllBytes(Path.Combine(PicturesFolder, $"{n}.png"), picture(n));
        long next = Windows.NextOffset(Topics.Items, 0);
        StoredItem[] items = [.. Enumerable.Range(0, Items).Select(n => new StoredItem(0, next + n, new ItemId($"i{n:000}"),
            new ItemEvent(new ItemId($"i{n:000}"), title(n), null, new Dictionary<string, JsonElement>(), $"{n}.png", true, 1)))];
        Assert.True(Windows.TryWriteItems(0, next, next + Items - 1, items));
    }

    public string PicturesFolder => Path.Combine(_folder, "pictures");
    /// <summary>The folder of <see cref="DescribeWithPictures"/>; null before.</summary>
    public PictureFolder? Pictures => _pictures;

    /// <summary>In this order.</summary>
    public void Buy(IEnumerable<(string User, int Item)> bought)
    {
        StoredInteraction[] rows = [.. bought.Select(b => new StoredInteraction(_next, $"e{_next}", new UserId(b.User), new ItemId($"i{b.Item:000}"), "purchase", null, 1_000 + _next++, null))];
        Assert.True(Windows.TryWriteInteractions(0, rows[0].Offset, rows[^1].Offset, rows));
    }

    public TrainingOutcome Train(TrainingPolicy policy, TrainingTempo tempo = TrainingTempo.Head) => Train(policy, tempo, null, TestContext.Current.CancellationToken);

    public TrainingOutcome Train(TrainingPolicy policy, TrainingTempo tempo, IProgress<TrainingProgressed>? progress, CancellationToken cancellationToken, Resumption? resumption = null, WindowQuery? query = null) =>
        new TrainingRun(Windows, Models, new SharedModels(pictures: _pictures), Cache, ItemText, policy, query ?? new WindowQuery(), TimeProvider.System, resumption).Run(new TrainEncoder(Guid.NewGuid(), tempo, "manual"), progress, cancellationToken);

    public void Dispose()
    {
        Cache.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
