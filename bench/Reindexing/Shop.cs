using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Embedded;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Indexer;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Reindexing;

/// <summary>A catalogue in log and window store, the Indexer beside it, all in a temporary folder.</summary>
internal sealed class Shop : IAsyncDisposable
{
    private static readonly string[] s_words = [.. Enumerable.Range(0, 4000).Select(n => Word(new Random(n)))];

    private readonly string _folder;
    private readonly IHost _host;

    private Shop(string folder, IHost host, IReadOnlyList<ItemEvent> items) => (_folder, _host, Items) = (folder, host, items);

    public IReadOnlyList<ItemEvent> Items { get; }
    public IEventLog Log => _host.Services.GetRequiredService<IEventLog>();
    public IWindowStore Windows => _host.Services.GetRequiredService<IWindowStore>();
    public IVectorIndex Index => _host.Services.GetRequiredService<IVectorIndex>();
    public FolderModelStore Models => (FolderModelStore)_host.Services.GetRequiredService<IModelStore>();
    public EncoderOutputCache Cache => _host.Services.GetRequiredService<EncoderOutputCache>();

    public static async Task<Shop> OpenAsync(int count, string[] settings, CancellationToken cancellationToken)
    {
        string folder = Directory.CreateTempSubdirectory("reindexing-").FullName;
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddEmbeddedEventLog(Path.Combine(folder, "log"));
        builder.Services.AddWindowStore(Path.Combine(folder, "windows"));
        builder.Services.AddModelStore(builder.Configuration, Path.Combine(folder, "models"));
        builder.Configuration.AddCommandLine([.. settings.Select(setting => "--" + setting)]);
        builder.Services.AddVectorIndex(builder.Configuration, Path.Combine(folder, "index"));
        builder.Services.AddSingleton(_ => new EncoderOutputCache(Path.Combine(folder, "cache")));
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddIndexerConsumers();
            bus.UsingInMemory((context, configuration) => configuration.ConfigureEndpoints(context));
        });
        builder.AddIndexer();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning).AddSimpleConsole(console => console.SingleLine = true);
        var shop = new Shop(folder, builder.Build(), [.. Enumerable.Range(0, count).Select(n => Item(n))]);
        await shop.LandAsync(cancellationToken);
        return shop;
    }

    /// <summary>The items have been in the log for long: landed, and passed by the Indexer.</summary>
    private async Task LandAsync(CancellationToken cancellationToken)
    {
        long next = 0;
        foreach (var part in Items.Chunk(10_000))
        {
            var positions = await Log.AppendAsync(Topics.Items, [.. part.Select(ItemJson.Record)], cancellationToken);
            Windows.TryWriteItems(0, positions[0].Offset, positions[^1].Offset, [.. part.Zip(positions, (item, at) => new StoredItem(0, at.Offset, item.ItemId, item))]);
            next = positions[^1].Offset + 1;
        }
        await using var subscription = Log.Subscribe(Topics.Items, ReaderGroups.Indexer, _ => next);
        await subscription.CommitAsync(0, next, cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => _host.StartAsync(cancellationToken);

    /// <summary>Publishes the encoder that comes with the program, with a head of that seed.</summary>
    public ModelManifest Publish(SentenceEncoder encoder, int seed)
    {
        var text = new ItemText();
        using var model = new EmbeddingModel(encoder, Head.Create(encoder.Dimension, [.. Items.Take(50_000).Select(text.WordsOf)], seed), text, null);
        return Models.Publish(new ModelDraft(model.Fingerprint, model.Dimension, Models.Live, $"window {seed}", new Dictionary<int, long>(), new JsonObject(), new JsonObject(), "bench"), model.Save);
    }

    /// <summary>Makes a model live, and says so as the trainer does; waits for the switch.</summary>
    public async Task SwitchAsync(ModelManifest manifest, CancellationToken cancellationToken)
    {
        Models.TryMoveLive(Models.Live, manifest.Version);
        await _host.Services.GetRequiredService<IBus>().Publish(new EncoderPublished(Guid.Empty, manifest.Version, manifest.Model.Fingerprint, "bench"), cancellationToken);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while ((await Index.ResolveAliasAsync("items", cancellationToken))?.Collection != CollectionOf(manifest)) await look.WaitForNextTickAsync(cancellationToken);
    }

    public static string CollectionOf(ModelManifest manifest) => $"items-{manifest.Model.Fingerprint.Short}";

    /// <summary>A title of 6 words, a description of 30, three attributes.</summary>
    public static ItemEvent Item(int n, string? title = null)
    {
        var random = new Random(n);
        return new ItemEvent(new ItemId($"item-{n:D7}"), title ?? Text(random, 6), Text(random, 30), new Dictionary<string, JsonElement>
        {
            ["brand"] = JsonSerializer.SerializeToElement(Text(random, 1)), ["price"] = JsonSerializer.SerializeToElement(random.Next(10_000) / 100.0), ["tags"] = JsonSerializer.SerializeToElement(new[] { Text(random, 1), Text(random, 1) }),
        }, null, true, 1_700_000_000_000);
    }

    // Few words are frequent, most are rare.
    private static string Text(Random random, int words) => string.Join(' ', Enumerable.Range(0, words).Select(_ => s_words[(int)(Math.Pow(random.NextDouble(), 3) * s_words.Length)]));

    private static string Word(Random random) => string.Concat(Enumerable.Range(0, random.Next(2, 5)).Select(_ => $"{"bdfgklmnprstvz"[random.Next(14)]}{"aeiou"[random.Next(5)]}"));

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
