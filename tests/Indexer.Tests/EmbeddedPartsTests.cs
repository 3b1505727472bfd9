using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Embedded;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.InMemory;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>The Indexer as it is hosted, over the embedded parts in a folder.</summary>
public sealed class EmbeddedPartsTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("indexer-").FullName;

    [Fact]
    public async Task Stopped_and_started_again_it_goes_on_where_it_was_and_builds_for_a_new_model()
    {
        using (var host = await StartAsync())
        {
            var models = host.Services.GetRequiredService<IModelStore>();
            Publish(models, 'a');
            await PutAsync(host, [.. Enumerable.Range(0, 30).Select(n => Item($"i{n:D2}", $"item {n}"))]);
            await CountsAsync(host, "items-aaaaaaaa", 30);
            await host.StopAsync(IndexerUnderTest.Token);
        }

        using (var host = await StartAsync())
        {
            await PutAsync(host, Item("late", "came after the restart"));
            await CountsAsync(host, "items-aaaaaaaa", 31);
            var index = host.Services.GetRequiredService<IVectorIndex>();
            Publish(host.Services.GetRequiredService<IModelStore>(), 'b');
            await host.Services.GetRequiredService<IBus>().Publish(
                new EncoderPublished(Guid.Empty, host.Services.GetRequiredService<IModelStore>().Live!.Value, new Fingerprint(new string('b', 64)), "test"), IndexerUnderTest.Token);
            await IndexerUnderTest.UntilAsync(async () => await index.ResolveAliasAsync("items", IndexerUnderTest.Token) is { Collection: "items-bbbbbbbb", Generation: 2 });
            await CountsAsync(host, "items-bbbbbbbb", 31);
            await host.StopAsync(IndexerUnderTest.Token);
        }
    }

    private async Task<IHost> StartAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("Indexer:CheckInterval", "00:00:00.020"), new("Indexer:RebuildBatch", "7")]);
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        builder.Services.AddEmbeddedEventLog(Path.Combine(_data, "log"));
        builder.Services.AddWindowStore(Path.Combine(_data, "windows"));
        builder.Services.AddModelStore(builder.Configuration, Path.Combine(_data, "models"));
        builder.Services.AddEmbeddedVectorIndex(Path.Combine(_data, "index"));
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddIndexerConsumers();
            bus.UsingInMemory((context, configuration) => configuration.ConfigureEndpoints(context));
        });
        builder.Services.AddSingleton<LoadItemEmbedder>(manifest => new Embedder(manifest.Model.Fingerprint));
        builder.AddIndexer();
        var host = builder.Build();
        await host.StartAsync(IndexerUnderTest.Token);
        return host;
    }

    private static void Publish(IModelStore models, char letter)
    {
        var draft = new ModelDraft(new Fingerprint(new string(letter, 64)), FakeModel.Dimension, models.Live, null, new Dictionary<int, long>(), new JsonObject(), new JsonObject(), "test");
        var manifest = models.Publish(draft, folder => File.WriteAllText(Path.Combine(folder, "config.json"), letter.ToString()));
        Assert.True(models.TryMoveLive(models.Live, manifest.Version));
    }

    private static async Task PutAsync(IHost host, params ItemEvent[] items) =>
        await host.Services.GetRequiredService<IEventLog>().AppendAsync(Topics.Items, [.. items.Select(ItemJson.Record)], IndexerUnderTest.Token);

    private static ItemEvent Item(string id, string title) => new(new ItemId(id), title, null, new Dictionary<string, JsonElement>(), null, true, 1_700_000_000_000);

    private static Task CountsAsync(IHost host, string collection, long items)
    {
        var index = host.Services.GetRequiredService<IVectorIndex>();
        return IndexerUnderTest.UntilAsync(async () =>
            await index.FindAsync(collection, IndexerUnderTest.Token) is not null && await index.CountAsync(collection, ItemFilter.None, IndexerUnderTest.Token) == items);
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private sealed class Embedder(Fingerprint fingerprint) : IItemEmbedder
    {
        public Fingerprint Fingerprint => fingerprint;
        public Fingerprint Encoder => fingerprint;
        public int Dimension => FakeModel.Dimension;

        public float[][] EmbedItems(IReadOnlyList<ItemEvent> items, CancellationToken cancellationToken) =>
            [.. items.Select(item => FakeModel.Embed(fingerprint, item.Title))];

        public void Dispose() { }
    }
}
