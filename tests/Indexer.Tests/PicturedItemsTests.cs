using System.Diagnostics.Metrics;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.InMemory;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using SkiaSharp;

namespace BeeFormer.Streaming.Indexer.Tests;

public sealed class PicturedItemsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pictured-items-").FullName;

    [Fact]
    public async Task New_items_are_indexed_with_their_pictures_and_by_text_alone_where_the_file_is_no_picture()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        string pictures = Directory.CreateDirectory(Path.Combine(_folder, "pictures")).FullName;
        foreach (SKColor colour in (SKColor[])[SKColors.Red, SKColors.Blue]) File.WriteAllBytes(Path.Combine(pictures, $"{colour}.png"), Png(colour));
        File.WriteAllText(Path.Combine(pictures, "broken.png"), "no picture");
        var models = new FolderModelStore(Path.Combine(_folder, "models"), TimeProvider.System);
        using LoadedEmbedder loaded = Load(models, pictures);
        var index = new MemoryVectorIndex();
        var collection = new CollectionInfo("items", loaded.Embedder.Dimension, loaded.Embedder.Fingerprint, models.List()[0].Version);
        await index.CreateAsync(collection, token);
        using var turn = new EncodingTurn();
        using ServiceProvider meters = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var target = new IndexTarget(collection, loaded.Embedder, index, turn, new IndexerMetrics(meters.GetRequiredService<IMeterFactory>(), TimeProvider.System), NullLogger.Instance);

        await target.ApplyAsync([Item("red", $"{SKColors.Red}.png"), Item("blue", $"{SKColors.Blue}.png"), Item("broken", "broken.png"), Item("none", null)], token);
        Dictionary<string, float[]> vectors = (await index.FetchAsync("items", [.. ((string[])["red", "blue", "broken", "none"]).Select(id => new ItemId(id))], token)).ToDictionary(item => item.Id.Value, item => item.Vector.ToArray());
        Assert.True(Cosine(vectors["red"], vectors["blue"]) < 0.999f);
        Assert.True(Cosine(vectors["red"], vectors["none"]) < 0.999f);
        Assert.Equal(1, Cosine(vectors["broken"], vectors["none"]), 1e-5f);
    }

    [Fact]
    public async Task Text_of_blanks_and_text_of_a_megabyte_are_indexed_as_any_other()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        var models = new FolderModelStore(Path.Combine(_folder, "models"), TimeProvider.System);
        using LoadedEmbedder loaded = Load(models, Directory.CreateDirectory(Path.Combine(_folder, "pictures")).FullName);
        var index = new MemoryVectorIndex();
        var collection = new CollectionInfo("items", loaded.Embedder.Dimension, loaded.Embedder.Fingerprint, models.List()[0].Version);
        await index.CreateAsync(collection, token);
        using var turn = new EncodingTurn();
        using ServiceProvider meters = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var target = new IndexTarget(collection, loaded.Embedder, index, turn, new IndexerMetrics(meters.GetRequiredService<IMeterFactory>(), TimeProvider.System), NullLogger.Instance);

        string megabyte = string.Concat(Enumerable.Repeat("a lamp ", 150_000));
        ItemEvent lamp = Item("lamp", null).Event!, blank = lamp with { Title = " " }, large = lamp with { Title = "a lamp a lamp", Description = megabyte }, larger = large with { Description = megabyte + "of brass" };
        await target.ApplyAsync([Named("lamp", lamp), Named("blank", blank), Named("large", large), Named("larger", larger)], token);
        Dictionary<string, float[]> vectors = (await index.ScrollAsync("items", ItemFilter.None, null, 10, token)).ToDictionary(item => item.Id.Value, item => item.Vector);
        Assert.Equal(["blank", "lamp", "large", "larger"], vectors.Keys.Order());
        Assert.Empty(target.Unusable);
        Assert.Equal(1, Cosine(vectors["large"], vectors["larger"]), 1e-5f); // both are cut long before they differ
    }

    [Fact]
    public void A_folder_of_pictures_that_does_not_exist_is_named()
    {
        using ServiceProvider services = Services(Path.Combine(_folder, "nowhere"));
        Assert.Contains("Images:Folder", Assert.Throws<InvalidOperationException>(services.GetRequiredService<SharedModels>).Message, StringComparison.Ordinal);
    }

    private static LoadedEmbedder Load(FolderModelStore models, string pictures)
    {
        using TextImageEncoder encoder = TextImageEncoder.Load(Path.Combine(RepositoryRoot(), "tests", "golden", "encoder", "tiny-clip", "model"));
        using var model = new EmbeddingModel(new ItemEncoder(encoder), null, new ItemText(), null, pictures: null);
        ModelManifest manifest = models.Publish(new ModelDraft(model.Fingerprint, model.Dimension, null, null, new Dictionary<int, long>(), [], [], "made for a test"), model.Save);
        ServiceProvider services = Services(pictures);
        return new LoadedEmbedder(services, ItemEmbedder.From(models, services.GetRequiredService<SharedModels>(), cache: null)(manifest));
    }

    private static ServiceProvider Services(string pictures) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Images:Folder"] = pictures }).Build())
        .AddSharedModels().BuildServiceProvider();

    private static ItemChange Named(string id, ItemEvent item) => new(new ItemId(id), 0, item with { ItemId = new ItemId(id) });

    private static ItemChange Item(string id, string? imageUrl) => new(new ItemId(id), 0, new ItemEvent(new ItemId(id), "a thing", null, new Dictionary<string, JsonElement>(), imageUrl, true, 1));

    private static byte[] Png(SKColor colour)
    {
        using var bitmap = new SKBitmap(32, 32, SKColorType.Rgba8888, SKAlphaType.Opaque);
        bitmap.Erase(colour);
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private static float Cosine(float[] left, float[] right) => left.Zip(right, (a, b) => a * b).Sum() / MathF.Sqrt(left.Sum(a => a * a) * right.Sum(b => b * b));

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "BeeFormer.Streaming.sln"))) folder = folder.Parent ?? throw new InvalidOperationException("No BeeFormer.Streaming.sln above the tests.");
        return folder.FullName;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private sealed record LoadedEmbedder(ServiceProvider Services, IItemEmbedder Embedder) : IDisposable
    {
        public void Dispose() => Services.Dispose();
    }
}
