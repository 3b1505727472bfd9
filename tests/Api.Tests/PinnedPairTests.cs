using System.Net;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.InMemory;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>A variant that is served from a model of its own, beside the live one.</summary>
public sealed class PinnedPairTests
{
    private const string Collection = "items-aaaaaaaa";

    private static CancellationToken Token => ApiUnderTest.Token;

    private sealed record Shop(ApiUnderTest Api, MemoryVectorIndex Index, ModelManifest Pinned) : IAsyncDisposable
    {
        public string Alias => $"items.{Pinned.Version}";

        /// <summary>One user of each variant, with the same taste.</summary>
        public string OfLive { get; private set; } = "";
        public string OfPinned { get; private set; } = "";

        public async Task<(HttpStatusCode Status, JsonElement Body)> RecommendAsync(string user) => await Api.PostAsync("/v1/recommendations", new { user_id = user, k = 2 });

        public async Task<string> VersionAsync(string user) => (await RecommendAsync(user)).Body.GetProperty("model_version").GetString()!;

        public async Task PinAsync()
        {
            await Index.PointAliasAsync(Alias, Collection, Token);
            Api.WakePairs();
            await ApiUnderTest.UntilAsync(async () => await VersionAsync(OfPinned) == Pinned.Version.Value);
        }

        public static async Task<Shop> OpenAsync(string lookEvery = "00:00:00.020")
        {
            var index = new MemoryVectorIndex();
            var models = new MemoryModelStore();
            var pinned = models.GoLive('a');
            var api = await ApiUnderTest.StartOnAsync(index, models,
                ("Variants:0:Name", "live"), ("Variants:0:Share", "0.5"), ("Variants:1:Name", "pinned"), ("Variants:1:Share", "0.5"), ("Variants:1:Version", pinned.Version.Value), ("Api:CheckInterval", lookEvery));
            await index.CreateAsync(new CollectionInfo(Collection, FakeModel.Dimension, pinned.Model.Fingerprint, pinned.Version), Token);
            await api.ServeAsync('b');
            api.WakePairs();
            var shop = new Shop(api, index, pinned);
            foreach (string title in (string[])["red lamp", "blue lamp", "green chair", "wooden chair"])
            {
                await api.IndexAsync(title, title);
                await index.UpsertAsync(Collection, [new IndexedItem(new ItemId(title), 0, FakeModel.Embed(pinned.Model.Fingerprint, title), title, true, new Dictionary<string, JsonElement>())], Token);
            }
            await ApiUnderTest.UntilAsync(async () => (await api.Client.GetAsync("/readyz", Token)).StatusCode == HttpStatusCode.OK);
            var variants = api.Services.GetRequiredService<Variants>();
            shop.OfLive = Enumerable.Range(0, 100).Select(n => $"u{n}").First(user => variants.For(user).Name == "live");
            shop.OfPinned = Enumerable.Range(0, 100).Select(n => $"u{n}").First(user => variants.For(user).Name == "pinned");
            foreach (string user in (string[])[shop.OfLive, shop.OfPinned]) api.Profiles.Bought(user, "red lamp");
            return shop;
        }

        public ValueTask DisposeAsync() => Api.DisposeAsync();
    }

    [Fact]
    public async Task Each_variant_answers_from_its_own_model()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.PinAsync();
        string live = shop.Api.Models.Live!.Value.Value, pinned = shop.Pinned.Version.Value;
        foreach (var (user, variant, version, letter) in new[] { (shop.OfLive, "live", live, 'b'), (shop.OfPinned, "pinned", pinned, 'a') })
        {
            var (_, answer) = await shop.RecommendAsync(user);
            Assert.Equal((variant, version, new string(letter, 64)), (answer.GetProperty("variant").GetString(), answer.GetProperty("model_version").GetString(), answer.GetProperty("fingerprint").GetString()));
            Assert.Equal("blue lamp", ApiUnderTest.Ids(answer)[0]);
            var (_, scores) = await shop.Api.PostAsync("/v1/score", new { user_id = user, candidates = new[] { "blue lamp", "green chair" } });
            Assert.Equal((variant, version), (scores.GetProperty("variant").GetString(), scores.GetProperty("model_version").GetString()));
            // The cosine is that of the variant's own model.
            double cosine = FakeModel.Embed(new Fingerprint(new string(letter, 64)), "red lamp").Zip(FakeModel.Embed(new Fingerprint(new string(letter, 64)), "blue lamp"), (left, right) => (double)left * right).Sum();
            Assert.Equal(cosine, scores.GetProperty("items")[0].GetProperty("score").GetDouble(), 1e-5);
        }
        var (_, batch) = await shop.Api.PostAsync("/v1/recommendations/batch", new { requests = new[] { new { user_id = shop.OfLive }, new { user_id = shop.OfPinned } } });
        Assert.Equal(live, batch.GetProperty("model_version").GetString());
        Assert.False(batch.GetProperty("results")[0].TryGetProperty("model_version", out _));
        Assert.Equal(pinned, batch.GetProperty("results")[1].GetProperty("model_version").GetString());
        Assert.Equal(live, (await shop.Api.PostAsync("/v1/search", new { text = "lamp" })).Body.GetProperty("model_version").GetString());
        Assert.Equal([live, pinned], (await shop.Api.SendAsync(HttpMethod.Get, "/v1/variants")).Body.GetProperty("variants").EnumerateArray().Select(variant => variant.GetProperty("version").GetString()));
    }

    [Fact]
    public async Task Live_model_stands_in_while_the_own_one_is_not_there_and_nothing_is_counted_then()
    {
        await using var shop = await Shop.OpenAsync();
        string live = shop.Api.Models.Live!.Value.Value;
        Assert.Equal(live, await shop.VersionAsync(shop.OfPinned));
        Assert.Equal(0, await ListsAsync(shop));
        await shop.PinAsync();
        long before = await ListsAsync(shop);
        Assert.Equal(shop.Pinned.Version.Value, await shop.VersionAsync(shop.OfPinned));
        Assert.Equal(before + 1, await ListsAsync(shop));

        await shop.Index.RemoveAliasAsync(shop.Alias, Token);
        await ApiUnderTest.UntilAsync(async () => await shop.VersionAsync(shop.OfPinned) == live);
        Assert.True(await shop.Index.DropAsync(Collection, Token)); // nobody holds it
        Assert.Equal(live, await shop.VersionAsync(shop.OfLive));
    }

    private static async Task<long> ListsAsync(Shop shop) => (await shop.Api.SendAsync(HttpMethod.Get, "/v1/variants")).Body.GetProperty("variants")[1].GetProperty("lists").GetInt64();

    [Fact]
    public async Task Deleted_item_is_in_no_answer_though_the_pinned_collection_still_holds_it()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.PinAsync();
        await shop.Api.SendAsync(HttpMethod.Delete, "/v1/items/blue%20lamp");
        var (_, answer) = await shop.RecommendAsync(shop.OfPinned);
        Assert.Equal(shop.Pinned.Version.Value, answer.GetProperty("model_version").GetString());
        Assert.DoesNotContain("blue lamp", ApiUnderTest.Ids(answer));
        Assert.Equal("hidden", (await shop.Api.PostAsync("/v1/score", new { user_id = shop.OfPinned, candidates = new[] { "blue lamp" } })).Body.GetProperty("left_out")[0].GetProperty("reason").GetString());
    }

    /// <summary>The Indexer has committed, but no longer writes to the pinned collection: what it holds must not be believed.</summary>
    [Fact]
    public async Task What_is_hidden_is_not_released_while_a_pair_serves_that_events_no_longer_reach()
    {
        await using var shop = await Shop.OpenAsync(lookEvery: "01:00:00");
        await shop.PinAsync();
        var reading = shop.Api.Services.GetRequiredService<HiddenItemsReading>();
        await shop.Api.SendAsync(HttpMethod.Delete, "/v1/items/blue%20lamp");
        // The Indexer was started without the pin: it takes the alias away before it takes the event.
        await shop.Index.RemoveAliasAsync(shop.Alias, Token);
        await shop.Index.DeleteAsync("items-bbbbbbbb", [(new ItemId("blue lamp"), 1)], Token);
        await using (var indexer = shop.Api.Log.Subscribe(Topics.Items, ReaderGroups.Indexer, _ => 0)) await indexer.CommitAsync(0, await shop.Api.Log.EndOffsetAsync(Topics.Items, 0, Token), Token);
        await reading.ReleaseIndexedAsync(Token);
        var (_, answer) = await shop.RecommendAsync(shop.OfPinned);
        Assert.Equal(shop.Pinned.Version.Value, answer.GetProperty("model_version").GetString()); // nobody has looked at the alias yet
        Assert.DoesNotContain("blue lamp", ApiUnderTest.Ids(answer));

        shop.Api.WakePairs();
        await ApiUnderTest.UntilAsync(async () => await shop.VersionAsync(shop.OfPinned) != shop.Pinned.Version.Value);
        await reading.ReleaseIndexedAsync(Token);
        Assert.Empty(shop.Api.Hidden.Current); // the live collection alone serves, and has it no more
        Assert.DoesNotContain("blue lamp", ApiUnderTest.Ids((await shop.RecommendAsync(shop.OfPinned)).Body));
    }

    [Fact]
    public async Task Live_pair_switches_under_load_and_the_pinned_one_stays()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.PinAsync();
        bool done = false;
        var asking = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            int answers = 0;
            while (!Volatile.Read(ref done))
            {
                var (status, answer) = await shop.RecommendAsync(shop.OfPinned);
                Assert.Equal((HttpStatusCode.OK, shop.Pinned.Version.Value, new string('a', 64)), (status, answer.GetProperty("model_version").GetString(), answer.GetProperty("fingerprint").GetString()));
                Assert.Equal(2, ApiUnderTest.Ids(answer).Count);
                (status, answer) = await shop.RecommendAsync(shop.OfLive);
                Assert.Equal(HttpStatusCode.OK, status);
                Assert.NotEqual(new string('a', 64), answer.GetProperty("fingerprint").GetString());
                answers++;
            }
            return answers;
        }, Token)).ToList();
        for (int n = 0; n < 30; n++)
        {
            long generation = shop.Api.Pairs.Identity!.Generation;
            await shop.Api.ServeAsync("bc"[(n + 1) % 2]);
            shop.Api.WakePairs();
            await ApiUnderTest.UntilAsync(() => Task.FromResult(shop.Api.Pairs.Identity!.Generation > generation));
        }
        Volatile.Write(ref done, true);
        Assert.All(await Task.WhenAll(asking), answers => Assert.True(answers > 0));
    }

    [Fact]
    public async Task Pinned_model_that_does_not_load_holds_up_nothing()
    {
        await using var shop = await Shop.OpenAsync();
        int attempts = 0;
        bool damaged = true;
        shop.Api.OnLoad = manifest =>
        {
            if (!damaged || manifest.Version != shop.Pinned.Version) return;
            Interlocked.Increment(ref attempts);
            throw new InvalidDataException($"{manifest.Version} is damaged");
        };
        await shop.Index.PointAliasAsync(shop.Alias, Collection, Token);
        await ApiUnderTest.UntilAsync(() => Task.FromResult(Volatile.Read(ref attempts) >= 2));
        var next = await shop.Api.ServeAsync('c');
        shop.Api.WakePairs();
        await ApiUnderTest.UntilAsync(async () => await shop.VersionAsync(shop.OfPinned) == next.Version.Value);
        Assert.Equal(HttpStatusCode.OK, (await shop.Api.SendAsync(HttpMethod.Get, "/readyz")).Status);
        damaged = false;
        shop.Api.WakePairs();
        await ApiUnderTest.UntilAsync(async () => await shop.VersionAsync(shop.OfPinned) == shop.Pinned.Version.Value);
    }
}
