using System.Net.Http.Json;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.SimulatedShop;
using BeeFormer.Streaming.Standalone.Tests.Commands;
using BeeFormer.Streaming.Standalone.Tests.DataSets;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Standalone.Tests.EndToEnd;

/// <summary>Two models at once on their whole way: half of the users are served by the trained one, half by the untrained one, and what they do is counted.</summary>
[Collection("Pipeline")]
public sealed class PinnedVariantTests : IDisposable
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Files files = new();
    private readonly HttpClient client = new();

    public void Dispose()
    {
        client.Dispose();
        files.Dispose();
    }

    [Fact]
    public async Task Each_half_is_served_by_its_model_sees_no_deleted_item_and_is_counted()
    {
        string untrained, trained;
        Shop shop = Shop.Open(new ShopOptions { Products = 200, Shoppers = 250 });
        await using (StandaloneHost host = await StartAsync([]))
        {
            await host.Pipeline.AppendAsync([.. shop.Products.Select(product => product.Item)], Token);
            await host.Pipeline.AppendAsync([.. shop.Interactions], Token);
            foreach (string topic in (string[])[Topics.Items, Topics.Interactions]) await host.Pipeline.WaitUntilLandedAsync(topic, null, Token);
            trained = (await host.Pipeline.TrainAsync(TrainingTempo.Head, "test", Token)).Version!.Value.Value;
            untrained = host.Pipeline.Models.List()[0].Version.Value;
            await host.Pipeline.WaitUntilServedAsync(Token);
        }
        (string, string)[] variants = [("Variants:0:Name", "trained"), ("Variants:0:Share", "0.5"), ("Variants:1:Name", "untrained"), ("Variants:1:Share", "0.5"), ("Variants:1:Version", untrained)];
        await using (StandaloneHost host = await StartAsync(variants))
        {
            client.BaseAddress = new Uri(host.Urls.Single());
            string[] expected = [trained, untrained];
            await Condition.HoldsAsync(async () => expected.SequenceEqual((await VariantsAsync()).Select(variant => variant.GetProperty("version").GetString()!)), () => "Both models should serve.");

            string[] users = [.. Enumerable.Range(0, 12).Select(n => $"buyer-{n}")];
            await PostAsync("/v1/events", users.Select(user => new { user_id = user, item_id = shop.Products[0].Item.ItemId.Value, type = "purchase" }));
            await Condition.HoldsAsync(async () => (await RecommendAsync(users[^1])).TryGetProperty("fallback", out _) is false, () => "The users should be known.");
            var best = new Dictionary<string, string>();
            foreach (string user in users)
            {
                JsonElement answer = await RecommendAsync(user);
                string variant = answer.GetProperty("variant").GetString()!;
                Assert.Equal(variant == "trained" ? trained : untrained, answer.GetProperty("model_version").GetString());
                best[variant] = Ids(answer)[0];
            }
            Assert.Equal(["trained", "untrained"], best.Keys.Order());

            foreach (string item in best.Values.Distinct())
            {
                (await client.DeleteAsync($"/v1/items/{item}", Token)).EnsureSuccessStatusCode();
                foreach (string user in users) Assert.DoesNotContain(item, Ids(await RecommendAsync(user)));
            }
            await PutAsync("new", "A thing that came later");
            await Condition.HoldsAsync(async () => (await CountedAsync(host, trained), await CountedAsync(host, untrained)) is var (left, right) && left == right && left == 201 - best.Values.Distinct().Count(), () => "Both collections should hold the same items.");

            JsonElement[] before = await VariantsAsync();
            foreach (string user in users)
            {
                string shown = Ids(await RecommendAsync(user))[0];
                await PostAsync("/v1/events", new[] { new { user_id = user, item_id = shown, type = "click" }, new { user_id = user, item_id = shown, type = "purchase" } });
            }
            JsonElement[] now = [];
            await Condition.HoldsAsync(async () => (now = await VariantsAsync()).Sum(variant => Number(variant, "hits")) >= users.Length, () => $"The purchases should be counted: {JsonSerializer.Serialize(now)}");
            foreach (var (first, second) in before.Zip(now))
            {
                Assert.Equal(Number(second, "purchases"), Number(second, "hits"));
                Assert.True(Number(second, "clicks") > Number(first, "clicks"));
                Assert.InRange(second.GetProperty("click_through").GetProperty("value").GetDouble(), second.GetProperty("click_through").GetProperty("low").GetDouble(), second.GetProperty("click_through").GetProperty("high").GetDouble());
            }
        }
        // A model that is not there is said at once.
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync([.. variants[..^1], ("Variants:1:Version", "000009-99999999")]));
        Assert.Contains("Variants:1:Version is \"000009-99999999\"", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<long> CountedAsync(StandaloneHost host, string version)
    {
        var collection = (await host.Pipeline.Index.ListAsync(Token)).Single(one => one.Version.Value == version);
        return await host.Pipeline.Index.CountAsync(collection.Name, VectorIndex.ItemFilter.None, Token);
    }

    private static long Number(JsonElement variant, string name) => variant.GetProperty(name).GetInt64();

    private static string[] Ids(JsonElement answer) => [.. answer.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("item_id").GetString()!)];

    private async Task<JsonElement[]> VariantsAsync() => [.. (await client.GetFromJsonAsync<JsonElement>("/v1/variants", Token)).GetProperty("variants").EnumerateArray()];

    private async Task<JsonElement> RecommendAsync(string user)
    {
        using HttpResponseMessage response = await client.PostAsJsonAsync("/v1/recommendations", new { user_id = user, k = 10 }, Token);
        return await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(Token);
    }

    private async Task PostAsync(string path, object body)
    {
        using HttpResponseMessage response = await client.PostAsJsonAsync(path, body, Token);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
    }

    private async Task PutAsync(string id, string title) => (await client.PutAsJsonAsync($"/v1/items/{id}", new { title }, Token)).EnsureSuccessStatusCode();

    private Task<StandaloneHost> StartAsync((string Key, string Value)[] more)
    {
        var settings = new Dictionary<string, string?>(ManualTraining.Settings)
        {
            ["Policy"] = files.Write("policy.yaml", $"embedder: {TinyEncoder.Folder}\nmax_seq_length: 64\nhead_steps: 60\nhead_output: 128\nmin_holdout_users: 5\n"),
        };
        foreach (var (key, value) in more) settings[key] = value;
        return StandaloneHost.StartAsync(Path.Combine(files.Folder, "data"), "http://127.0.0.1:0", quiet: true, settings, Token);
    }
}
