using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.SimulatedShop;
using BeeFormer.Streaming.Standalone.Tests.Commands;
using BeeFormer.Streaming.Standalone.Tests.DataSets;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.VectorIndex.Embedded;

namespace BeeFormer.Streaming.Standalone.Tests.EndToEnd;

/// <summary>Attributes on their whole way, with a text template of their own: Api, log, windows, Trainer, ModelStore and Indexer read an item alike.</summary>
[Collection("Pipeline")]
public sealed class AttributesLoopTests : IDisposable
{
    private static readonly string[] Colours = ["dark red", "light blue", "green"];
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task The_index_holds_what_the_published_model_makes_of_an_item_bit_for_bit_whatever_the_configuration_says_later()
    {
        Shop shop = Shop.Open(new ShopOptions { Products = 200, Shoppers = 250 });
        ItemEvent[] items = [.. shop.Products.Select((product, n) => product.Item with { Attributes = Attributes(n) })];
        ItemEvent late = items[0] with { ItemId = new ItemId("late"), Title = "A late thing", Attributes = Attributes(1) };
        Fingerprint trained;
        await using (StandaloneHost host = await StartAsync("{title} ({attributes.colours}). {description}"))
        {
            await host.Pipeline.AppendAsync(items, Token);
            await host.Pipeline.AppendAsync([.. shop.Interactions], Token);
            foreach (string topic in (string[])[Topics.Items, Topics.Interactions]) await host.Pipeline.WaitUntilLandedAsync(topic, null, Token);
            Assert.NotNull((await host.Pipeline.TrainAsync(TrainingTempo.Head, "test", Token)).Version);
            trained = await AssertIndexedAsync(host, items);
        }
        await using (StandaloneHost host = await StartAsync("{title}"))
        {
            await host.Pipeline.AppendAsync([late], Token);
            Assert.Equal(trained, await AssertIndexedAsync(host, [.. items, late]));
        }
    }

    /// <returns>Fingerprint of the model in service.</returns>
    private async Task<Fingerprint> AssertIndexedAsync(StandaloneHost host, ItemEvent[] items)
    {
        CollectionInfo collection = await host.Pipeline.WaitUntilServedAsync(Token);
        ModelManifest live = host.Pipeline.Models.Find(host.Pipeline.Models.Live!.Value)!;
        Assert.Equal(live.Model.Fingerprint, collection.Fingerprint);
        using EmbeddingModel model = host.Models.Rent(host.Pipeline.Models.EncoderFolder(live.Version), host.Cache);
        Assert.Equal(live.Model.Fingerprint, model.Fingerprint);
        Assert.Contains("dark red", model.Head!.Vocabulary.Words);

        // An index scales what it is given to length 1: so does one of our own.
        using var own = new EmbeddedVectorIndex(Path.Combine(files.Folder, $"own-{items.Length}"));
        await own.CreateAsync(collection, Token);
        Dictionary<ItemId, float[]> expected = await StoredAsync(items, revision: 1), indexed = await FetchAsync(host.Pipeline.Index), bare = await StoredAsync([.. items.Select(item => item with { Attributes = new Dictionary<string, JsonElement>() })], revision: 2);
        foreach (ItemEvent item in items)
        {
            Assert.Equal(expected[item.ItemId], indexed[item.ItemId]);
            Assert.NotEqual(bare[item.ItemId], indexed[item.ItemId]);
        }
        return model.Fingerprint;

        async Task<Dictionary<ItemId, float[]>> StoredAsync(ItemEvent[] described, long revision)
        {
            EmbeddingMatrix vectors = model.EmbedItems(described, cancellationToken: Token);
            await own.UpsertAsync(collection.Name, [.. described.Select((item, n) => new IndexedItem(item.ItemId, revision, vectors.Row(n).ToArray(), item.Title, item.Available, item.Attributes))], Token);
            return await FetchAsync(own);
        }

        async Task<Dictionary<ItemId, float[]>> FetchAsync(IVectorIndex index)
        {
            Dictionary<ItemId, float[]> found = (await index.FetchAsync(collection.Name, [.. items.Select(item => item.ItemId)], Token)).ToDictionary(item => item.Id, item => item.Vector.ToArray());
            Assert.Equal(items.Length, found.Count);
            return found;
        }
    }

    private static Dictionary<string, JsonElement> Attributes(int item) =>
        JsonSerializer.Deserialize<Dictionary<string, JsonElement>>($$"""{"material": "solid wood", "colours": ["{{Colours[item % 3]}}", "{{Colours[item / 3 % 3]}}"], "price": {{item}}, "new": true}""")!;

    private Task<StandaloneHost> StartAsync(string template)
    {
        var settings = new Dictionary<string, string?>(ManualTraining.Settings)
        {
            ["Policy"] = files.Write("policy.yaml", $"embedder: {TinyEncoder.Folder}\nmax_seq_length: 64\nhead_steps: 60\nhead_output: 128\nmin_holdout_users: 5\n"), ["Encoder:ItemText"] = template,
        };
        return StandaloneHost.StartAsync(Path.Combine(files.Folder, "data"), "http://127.0.0.1:0", quiet: true, settings, Token);
    }
}
