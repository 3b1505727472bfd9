using System.Net;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>Two policies side by side, over HTTP.</summary>
public sealed class VariantTests
{
    /// <summary>One ranks by popularity alone, the other by the model alone.</summary>
    private static readonly (string, string)[] Opposites =
    [
        ("Variants:0:Name", "model"), ("Variants:0:Share", "0.5"), ("Variants:0:Ranking:Popularity", "0"), ("Variants:0:Ranking:History", "0"),
        ("Variants:1:Name", "crowd"), ("Variants:1:Share", "0.5"), ("Variants:1:Ranking:Model", "0.001"), ("Variants:1:Ranking:Popularity", "10"),
    ];

    [Fact]
    public async Task Each_user_is_served_by_one_variant_which_every_answer_names()
    {
        await using var api = await ShopAsync(Opposites);
        var users = new Dictionary<string, string>();
        foreach (string user in Enumerable.Range(0, 30).Select(n => $"u{n}"))
        {
            api.Profiles.Bought(user, "lamp1");
            var (status, answer) = await api.PostAsync("/v1/recommendations", new { user_id = user, k = 1 });
            Assert.Equal(HttpStatusCode.OK, status);
            string variant = users[user] = answer.GetProperty("variant").GetString()!;
            Assert.Equal(variant == "crowd" ? "chair2" : "lamp2", ApiUnderTest.Ids(answer).Single());
            Assert.Equal(variant, (await api.PostAsync("/v1/recommendations", new { user_id = user, k = 1 })).Body.GetProperty("variant").GetString());
            var (_, scores) = await api.PostAsync("/v1/score", new { user_id = user, candidates = new[] { "lamp2", "chair2" } });
            Assert.Equal((variant, variant == "crowd" ? "chair2" : "lamp2"), (scores.GetProperty("variant").GetString(), ApiUnderTest.Ids(scores)[0]));
        }
        Assert.Equal(["crowd", "model"], users.Values.Distinct().Order());

        var (_, batch) = await api.PostAsync("/v1/recommendations/batch", new { requests = users.Keys.Select(user => new { user_id = user, k = 1 }) });
        Assert.Equal(users.Values, batch.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("variant").GetString()!));
        Assert.False(batch.TryGetProperty("variant", out _));
    }

    [Fact]
    public async Task Who_is_nobody_gets_the_first_variant_and_what_is_for_no_user_has_none()
    {
        await using var api = await ShopAsync(Opposites);
        var (_, answer) = await api.PostAsync("/v1/recommendations", new { history = new[] { "lamp1" }, k = 1 });
        Assert.Equal(("model", "lamp2"), (answer.GetProperty("variant").GetString(), ApiUnderTest.Ids(answer).Single()));
        Assert.Equal("model", (await api.PostAsync("/v1/score", new { history = new[] { "lamp1" }, candidates = new[] { "lamp2" } })).Body.GetProperty("variant").GetString());
        Assert.False((await api.PostAsync("/v1/search", new { text = "lamp" })).Body.TryGetProperty("variant", out _));
        Assert.False((await api.SendAsync(HttpMethod.Get, "/v1/items/lamp1/similar")).Body.TryGetProperty("variant", out _));
        Assert.All(await VariantsAsync(api), variant => Assert.Equal(0, variant.GetProperty("lists").GetInt32()));
    }

    [Fact]
    public async Task Without_variants_no_answer_names_one_and_none_is_listed()
    {
        await using var api = await ShopAsync();
        Assert.False((await api.PostAsync("/v1/recommendations", new { user_id = "u" })).Body.TryGetProperty("variant", out _));
        Assert.False((await api.PostAsync("/v1/score", new { user_id = "u", candidates = new[] { "lamp2" } })).Body.TryGetProperty("variant", out _));
        var (_, batch) = await api.PostAsync("/v1/recommendations/batch", new { requests = new[] { new { user_id = "u" } } });
        Assert.False(batch.GetProperty("results")[0].TryGetProperty("variant", out _));
        Assert.Empty(await VariantsAsync(api));
    }

    [Fact]
    public async Task What_a_variant_does_not_name_is_as_for_all()
    {
        await using var api = await ShopAsync(("Ranking:Candidates", "7"), ("Ranking:Popularity", "3"), ("Variants:0:Name", "a"), ("Variants:0:Share", "1"), ("Variants:0:Ranking:Popularity", "0"), ("Variants:0:Ranking:Rest", "00:00:05"));
        var ranking = api.Services.GetRequiredService<Variants>().For("u").Ranking;
        Assert.Equal((7, 0, 1, 0.5, TimeSpan.FromSeconds(5)), (ranking.Candidates, ranking.Popularity, ranking.Model, ranking.History, ranking.Rest));
        Assert.Equal(3, api.Services.GetRequiredService<IOptions<RankingOptions>>().Value.Popularity);
        Assert.Equal("""{"Popularity":"0","Rest":"00:00:05"}""", (await VariantsAsync(api))[0].GetProperty("ranking").GetRawText());
    }

    [Fact]
    public async Task What_users_do_is_read_from_the_log_and_told_with_intervals()
    {
        await using var api = await ShopAsync([.. Opposites, ("Experiment:Salt", "s")]);
        await api.Services.GetRequiredService<InteractionWatching>().Watching.WaitAsync(ApiUnderTest.Token);
        string user = "", variant = "";
        for (int n = 0; variant != "crowd"; n++) variant = (await api.PostAsync("/v1/recommendations", new { user_id = user = $"u{n}", k = 2 })).Body.GetProperty("variant").GetString()!;
        var (_, page) = await api.PostAsync("/v1/recommendations", new { user_id = user, k = 1 });
        string shown = ApiUnderTest.Ids(page).Single(), cursor = page.GetProperty("cursor").GetString()!;
        string next = ApiUnderTest.Ids((await api.PostAsync("/v1/recommendations", new { user_id = user, k = 1, cursor })).Body).Single();

        await api.SendAsync(HttpMethod.Post, "/v1/events", JsonSerializer.Serialize(new[]
        {
            new { user_id = user, item_id = shown, type = "click" }, new { user_id = user, item_id = next, type = "purchase" }, new { user_id = user, item_id = "elsewhere", type = "purchase" },
        }));
        JsonElement crowd = default;
        await ApiUnderTest.UntilAsync(async () => (crowd = (await VariantsAsync(api))[1]).GetProperty("purchases").GetInt32() == 2);
        Assert.Equal((2, 4, 1, 1), (Number("lists"), Number("impressions"), Number("clicks"), Number("hits")));
        Assert.Equal((0.25, 0.5), (crowd.GetProperty("click_through").GetProperty("value").GetDouble(), crowd.GetProperty("recall").GetProperty("value").GetDouble()));
        Assert.Equal(Proportion.Of(1, 4)!.High, crowd.GetProperty("click_through").GetProperty("high").GetDouble());
        Assert.Equal(Proportion.Of(1, 2)!.Low, crowd.GetProperty("recall").GetProperty("low").GetDouble());
        Assert.Equal(("crowd", 0.5, api.Models.Live!.Value.Value), (crowd.GetProperty("name").GetString(), crowd.GetProperty("share").GetDouble(), crowd.GetProperty("version").GetString()));

        string metrics = "";
        await ApiUnderTest.UntilAsync(async () => (metrics = await api.Client.GetStringAsync("/metrics", ApiUnderTest.Token)).Contains("variants_purchases_total", StringComparison.Ordinal));
        foreach (var (name, value) in new[] { ("lists", 2), ("impressions", 4), ("clicks", 1), ("purchases", 2), ("hits", 1) })
            Assert.Matches($$"""(?m)^variants_{{name}}_total\{.*variant="crowd".*\} {{value}}\b""", metrics);
        Assert.DoesNotContain(user + "\"", metrics, StringComparison.Ordinal);

        int Number(string name) => crowd.GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task An_erased_user_is_forgotten_here_too()
    {
        await using var api = await ShopAsync([.. Opposites]);
        await api.Services.GetRequiredService<InteractionWatching>().Watching.WaitAsync(ApiUnderTest.Token);
        foreach (string user in (string[])["erased", "other"]) await api.PostAsync("/v1/recommendations", new { user_id = user });
        await api.SendAsync(HttpMethod.Delete, "/v1/users/erased");
        await api.Log.AppendAsync(Topics.Interactions, [new LogRecord([1], [1])], ApiUnderTest.Token); // one that nobody can read
        await api.SendAsync(HttpMethod.Post, "/v1/events", """[{"user_id": "erased", "item_id": "lamp1", "type": "purchase"}, {"user_id": "other", "item_id": "lamp1", "type": "purchase"}]""");
        await ApiUnderTest.UntilAsync(async () => (await VariantsAsync(api)).Sum(variant => variant.GetProperty("purchases").GetInt32()) > 0);
        Assert.Equal(1, (await VariantsAsync(api)).Sum(variant => variant.GetProperty("purchases").GetInt32()));
    }

    [Fact]
    public async Task Another_instance_serves_a_user_by_the_same_variant_and_counts_what_it_showed_itself()
    {
        await using var api = await ShopAsync(Opposites);
        await using var other = await ApiUnderTest.StartOnAsync(api.Index, serving: true, [.. Opposites]);
        other.Services.GetRequiredService<PopularityCounter>().Add(new ItemId("chair2"), 1, 0);
        for (int n = 0; n < 20; n++)
            Assert.Equal(await NameAsync(api, $"u{n}"), await NameAsync(other, $"u{n}"));
        Assert.Equal(20, (await VariantsAsync(other)).Sum(variant => variant.GetProperty("lists").GetInt32()));

        static async Task<string> NameAsync(ApiUnderTest one, string user) => (await one.PostAsync("/v1/recommendations", new { user_id = user })).Body.GetProperty("variant").GetString()!;
    }

    [Theory]
    [InlineData("Variants:1:Name", "", "Variants:1:Name is \"\"")]
    [InlineData("Variants:1:Name", "Crowd", "Variants:1:Name is \"Crowd\"")]
    [InlineData("Variants:1:Name", "0123456789012345678901234567890123456789x", "Variants:1:Name is ")]
    [InlineData("Variants:1:Name", "model", "Variants names model twice")]
    [InlineData("Variants:1:Share", "0.4", "add up to 0.9; expected 1")]
    [InlineData("Variants:1:Share", "-0.5", "Variants:1:Share is -0.5")]
    [InlineData("Variants:1:Share", "NaN", "Variants:1:Share is NaN")]
    [InlineData("Variants:1:Share", "half", "Variants:1:Share")]
    [InlineData("Variants:1:Version", "000002-ec0cb2cc", "Variants:1:Version is \"000002-ec0cb2cc\"; expected a published model")]
    [InlineData("Variants:1:Shares", "1", "Variants:1 cannot be read")]
    [InlineData("Variants:1:Ranking:Popularities", "1", "'Popularities'")]
    [InlineData("Variants:1:Ranking:Popularity", "101", "Variants:1:Ranking:Popularity: ")]
    [InlineData("Variants:1:Ranking:History", "NaN", "Variants:1:Ranking:History: ")]
    [InlineData("Variants:0:Ranking:Model", "0", "Variants:0:Ranking:Model: ")]
    [InlineData("Experiment:Window", "00:00:00", "Window")]
    [InlineData("Experiment:Period", "00:00:59", "Period")]
    [InlineData("Experiment:Users", "0", "Users")]
    public async Task A_wrong_setting_stops_the_start_and_is_named(string key, string value, string named) =>
        Assert.Contains(named, (await Assert.ThrowsAsync<OptionsValidationException>(() => ApiUnderTest.StartAsync(serving: false, [.. Opposites.Where(setting => setting.Item1 != key), (key, value)]))).Message, StringComparison.Ordinal);

    private static async Task<IReadOnlyList<JsonElement>> VariantsAsync(ApiUnderTest api)
    {
        var (status, answer) = await api.SendAsync(HttpMethod.Get, "/v1/variants");
        Assert.Equal(HttpStatusCode.OK, status);
        return [.. answer.GetProperty("variants").EnumerateArray()];
    }

    private static async Task<ApiUnderTest> ShopAsync(params (string, string)[] settings)
    {
        // The log in memory has a clock of long ago, and events happen now.
        var api = await ApiUnderTest.StartAsync(serving: true, [.. settings, (EventClock.Key, "36500.00:00:00")]);
        foreach (var (id, title) in new[] { ("lamp1", "red lamp"), ("lamp2", "blue lamp"), ("chair1", "green chair"), ("chair2", "wooden chair") }) await api.IndexAsync(id, title);
        foreach (string item in (string[])["chair2", "chair2", "lamp2", "chair1"]) api.Services.GetRequiredService<PopularityCounter>().Add(new ItemId(item), 1, 0);
        return api;
    }
}
