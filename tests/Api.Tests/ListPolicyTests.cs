using System.Net;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>What a list is as a whole, configured or asked for: over HTTP.</summary>
public sealed class ListPolicyTests
{
    [Fact]
    public async Task Diversity_puts_what_is_like_the_first_behind_what_is_not()
    {
        await using var api = await ShopAsync(("Ranking:Popularity", "0"));
        object Request(double? diversity) => new { history = new[] { "lamp0" }, k = 12, diversity };
        var plain = ApiUnderTest.Ids((await api.PostAsync("/v1/recommendations", Request(null))).Body);
        Assert.All(plain.Take(3), id => Assert.StartsWith("lamp", id));
        var (_, answer) = await api.PostAsync("/v1/recommendations", Request(1));
        var diverse = ApiUnderTest.Ids(answer);
        Assert.Equal((plain[0], plain.Count), (diverse[0], diverse.Count));
        Assert.DoesNotContain("lamp", diverse[1], StringComparison.Ordinal);
        Assert.Equal(plain.Order(), diverse.Order());
    }

    [Fact]
    public async Task What_is_configured_holds_until_a_request_says_otherwise()
    {
        await using var api = await ShopAsync(("Ranking:MaxPer:kind", "2"), ("Ranking:Diversity", "0.5"), ("Ranking:Exploration", "0.5"));
        var (_, answer) = await api.PostAsync("/v1/recommendations", new { history = new[] { "lamp0" }, explain = true });
        Assert.Equal(6, ApiUnderTest.Ids(answer).Count);
        Assert.Contains(Parts(answer), part => part.TryGetProperty("diversity_penalty", out var penalty) && penalty.GetDouble() > 0);
        Assert.Contains(Parts(answer), part => part.GetProperty("exploration").GetBoolean());
        (_, answer) = await api.PostAsync("/v1/recommendations", new { history = new[] { "lamp0" }, k = 20, explain = true, max_per = new { }, diversity = 0, exploration = 0 });
        Assert.Equal(11, ApiUnderTest.Ids(answer).Count);
        Assert.All(Parts(answer), part => Assert.False(part.TryGetProperty("diversity_penalty", out _) || part.TryGetProperty("exploration", out _)));
    }

    [Theory]
    [InlineData("""{"history":["lamp0"],"k":2,"max_per":{"kind":2},"diversity":0.3,"exploration":0.25}""")]
    [InlineData("""{"user_id":"nobody","k":2,"max_per":{"kind":2},"diversity":0.3}""")]
    public async Task Caps_hold_over_all_pages_though_the_ranking_moves(string body)
    {
        await using var api = await ShopAsync();
        foreach (int n in Enumerable.Range(0, 4))
        foreach (string kind in new[] { "lamp", "chair", "table" }) Buy(api, $"{kind}{n}", 1);
        var seen = new List<string>();
        string? cursor = null;
        for (int page = 0; page == 0 || cursor is not null; page++)
        {
            // What was not shown moves to the front.
            for (int n = 0; n < 4; n++)
                if (!seen.Contains($"lamp{n}")) Buy(api, $"lamp{n}", 5 * page);
            var (status, answer) = await api.SendAsync(HttpMethod.Post, "/v1/recommendations", cursor is null ? body : body[..^1] + $",\"cursor\":\"{cursor}\"}}");
            Assert.True(status == HttpStatusCode.OK, answer.ToString());
            Assert.Equal(2, ApiUnderTest.Ids(answer).Count);
            seen.AddRange(ApiUnderTest.Ids(answer));
            cursor = answer.TryGetProperty("cursor", out var next) ? next.GetString() : null;
        }
        Assert.Equal(6, seen.Distinct().Count());
        Assert.All(seen.GroupBy(id => id[..^1]), kind => Assert.Equal(2, kind.Count()));
    }

    [Fact]
    public async Task Caps_look_further_where_the_nearest_are_all_of_one_kind()
    {
        await using var api = await ShopAsync(("Ranking:Candidates", "2"), ("Ranking:Popularity", "0"));
        var (_, answer) = await api.PostAsync("/v1/recommendations", new { history = new[] { "lamp0" }, k = 3, max_per = new { kind = 1 } });
        Assert.Equal(["chair", "lamp", "table"], ApiUnderTest.Ids(answer).Select(id => id[..^1]).Order());
    }

    [Fact]
    public async Task Places_for_exploration_go_to_what_few_have_touched_and_say_so()
    {
        await using var api = await ShopAsync(("Ranking:Popularity", "10"));
        foreach (int n in Enumerable.Range(0, 4))
        foreach (string kind in new[] { "lamp", "chair" }) Buy(api, $"{kind}{n}", 3);
        var request = new { history = new[] { "lamp0" }, k = 8, exploration = 0.25, explain = true };
        var (_, answer) = await api.PostAsync("/v1/recommendations", request);
        var items = answer.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal([3, 7], Enumerable.Range(0, 8).Where(n => items[n].GetProperty("parts").GetProperty("exploration").GetBoolean()));
        Assert.Equal([3, 7], Enumerable.Range(0, 8).Where(n => ApiUnderTest.Ids(answer)[n].StartsWith("table", StringComparison.Ordinal)));
        Assert.Equal(ApiUnderTest.Ids(answer), ApiUnderTest.Ids((await api.PostAsync("/v1/recommendations", request)).Body));
        Buy(api, "table0", 3);
        Buy(api, "table1", 3);
        Buy(api, "table2", 3);
        Buy(api, "table3", 3);
        (_, answer) = await api.PostAsync("/v1/recommendations", request);
        Assert.All(Parts(answer), part => Assert.False(part.GetProperty("exploration").GetBoolean())); // nothing is little known any more
        Assert.Equal(8, ApiUnderTest.Ids(answer).Count);
    }

    [Fact]
    public async Task New_items_are_put_forward_by_the_attribute_that_tells_when_they_came()
    {
        await using var api = await ShopAsync(("Ranking:Popularity", "0"), ("Ranking:Recency", "5"), ("Ranking:RecencyAttribute", "released"), ("Ranking:RecencyHalfLife", "14.00:00:00"));
        await api.IndexAsync("new", "brass bell", attributes: new { released = DateTimeOffset.UtcNow.AddDays(-14).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) });
        var (_, answer) = await api.PostAsync("/v1/recommendations", new { history = new[] { "lamp0" }, explain = true });
        Assert.Equal("new", ApiUnderTest.Ids(answer)[0]);
        Assert.InRange(Parts(answer)[0].GetProperty("recency").GetDouble(), 0.49, 0.5);
        Assert.Equal(0, Parts(answer)[1].GetProperty("recency").GetDouble());
        var (_, scored) = await api.PostAsync("/v1/score", new { history = new[] { "lamp0" }, candidates = new[] { "lamp1", "new" } });
        Assert.Equal("new", ApiUnderTest.Ids(scored)[0]);
        Assert.Equal(answer.GetProperty("items")[0].GetProperty("score").GetDouble(), scored.GetProperty("items")[0].GetProperty("score").GetDouble(), 1e-3);
    }

    [Fact]
    public async Task The_parts_make_the_score()
    {
        await using var api = await ShopAsync(("Ranking:Recency", "0.3"), ("Ranking:RecencyAttribute", "released"), ("Ranking:Model", "2"));
        Buy(api, "lamp1", 4);
        Buy(api, "chair1", 1);
        api.Profiles.Bought("u", "lamp1", "lamp0", "lamp0");
        var (_, answer) = await api.PostAsync("/v1/recommendations", new { user_id = "u", exclude_seen = false, explain = true, diversity = 0.3, k = 20 });
        Assert.Equal(12, ApiUnderTest.Ids(answer).Count);
        foreach (var item in answer.GetProperty("items").EnumerateArray())
        {
            double Part(string name) => item.GetProperty("parts").GetProperty(name).GetDouble();
            Assert.Equal(2 * Part("cosine") + 0.4 * Math.Pow(Part("popularity"), 0.25) + 0.5 * Part("own") + 0.3 * Part("recency"), item.GetProperty("score").GetDouble(), 1e-6);
            Assert.InRange(Part("diversity_penalty"), 0, 0.3001);
        }
        var popular = (await api.PostAsync("/v1/recommendations", new { user_id = "nobody", explain = true })).Body;
        Assert.Equal([1, 0.25], Parts(popular).Select(part => part.GetProperty("popularity").GetDouble()));
        Assert.False(Parts(popular)[0].TryGetProperty("cosine", out _));
        var (_, silent) = await api.PostAsync("/v1/recommendations", new { user_id = "u" });
        Assert.All(silent.GetProperty("items").EnumerateArray(), item => Assert.False(item.TryGetProperty("parts", out _)));
    }

    [Fact]
    public async Task What_came_last_in_a_history_counts_most()
    {
        await using var api = await ShopAsync(("Ranking:Popularity", "0"));
        string[] Mixed(string last) => [.. Enumerable.Range(0, 3).SelectMany(n => new[] { $"lamp{n}", $"chair{n}" }).Where(id => !id.StartsWith(last, StringComparison.Ordinal)), $"{last}0", $"{last}1", $"{last}2"];
        foreach (string last in new[] { "lamp", "chair" })
            Assert.Equal($"{last}3", ApiUnderTest.Ids((await api.PostAsync("/v1/recommendations", new { history = Mixed(last), k = 1 })).Body).Single());
    }

    [Theory]
    [InlineData("""{"user_id":"u","diversity":1.01}""", "diversity")]
    [InlineData("""{"user_id":"u","diversity":-0.1}""", "diversity")]
    [InlineData("""{"user_id":"u","diversity":"much"}""", "diversity")]
    [InlineData("""{"user_id":"u","exploration":0.51}""", "exploration")]
    [InlineData("""{"user_id":"u","exploration":-1}""", "exploration")]
    [InlineData("""{"user_id":"u","max_per":{"brand":0}}""", "max_per.brand")]
    [InlineData("""{"user_id":"u","max_per":{"brand":1001}}""", "max_per.brand")]
    [InlineData("""{"user_id":"u","max_per":{"brand":1.5}}""", "max_per.brand")]
    [InlineData("""{"user_id":"u","max_per":{"":1}}""", "max_per")]
    [InlineData("""{"user_id":"u","max_per":[1]}""", "max_per")]
    public async Task A_policy_that_cannot_be_is_refused_by_its_name(string body, string field)
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, problem) = await api.SendAsync(HttpMethod.Post, "/v1/recommendations", body);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_field", field), (status, problem.GetProperty("code").GetString(), problem.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task So_many_bounds_are_too_many()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, problem) = await api.PostAsync("/v1/recommendations", new { user_id = "u", max_per = Enumerable.Range(0, 11).ToDictionary(n => $"a{n}", _ => 1) });
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "max_per"), (status, problem.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task Another_policy_is_another_request_to_a_cursor()
    {
        await using var api = await ShopAsync();
        string cursor = (await api.PostAsync("/v1/recommendations", new { history = new[] { "lamp0" }, k = 2 })).Body.GetProperty("cursor").GetString()!;
        foreach (object other in new object[] { new { history = new[] { "lamp0" }, diversity = 0.1, cursor }, new { history = new[] { "lamp0" }, max_per = new { kind = 2 }, cursor }, new { history = new[] { "lamp0" }, exploration = 0.1, cursor } })
            Assert.Equal("cursor", (await api.PostAsync("/v1/recommendations", other)).Body.GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("Ranking:Diversity", "1.1", "Diversity")]
    [InlineData("Ranking:Diversity", "NaN", "Diversity")]
    [InlineData("Ranking:Exploration", "0.6", "Exploration")]
    [InlineData("Ranking:ExplorationBelow", "-1", "ExplorationBelow")]
    [InlineData("Ranking:ExplorationPeriod", "00:00:00", "ExplorationPeriod")]
    [InlineData("Ranking:Recency", "Infinity", "Recency")]
    [InlineData("Ranking:RecencyHalfLife", "00:00:00", "RecencyHalfLife")]
    [InlineData("Ranking:MaxPer:brand", "0", "MaxPer:brand")]
    public async Task Setting_out_of_its_range_stops_the_start(string key, string value, string named) =>
        Assert.Contains(named, (await Assert.ThrowsAsync<OptionsValidationException>(() => ApiUnderTest.StartAsync(serving: false, (key, value)))).Message);

    private static IReadOnlyList<JsonElement> Parts(JsonElement answer) => [.. answer.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("parts"))];

    /// <summary>Four lamps, four chairs, four tables.</summary>
    private static async Task<ApiUnderTest> ShopAsync(params (string, string)[] settings)
    {
        var api = await ApiUnderTest.StartAsync(serving: true, settings);
        foreach (string kind in new[] { "lamp", "chair", "table" })
            for (int n = 0; n < 4; n++) await api.IndexAsync($"{kind}{n}", $"{kind} {kind} {kind} colour{n}", attributes: new { kind });
        return api;
    }

    private static void Buy(ApiUnderTest api, string item, int times)
    {
        for (int n = 0; n < times; n++) api.Services.GetRequiredService<PopularityCounter>().Add(new ItemId(item), 1, 1_700_000_000_000);
    }
}
