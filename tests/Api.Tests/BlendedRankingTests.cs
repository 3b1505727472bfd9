using System.Net;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class BlendedRankingTests
{
    [Fact]
    public async Task Item_bought_most_often_comes_first_where_seen_items_may_come_and_not_at_all_where_they_may_not()
    {
        await using var api = await ShopAsync();
        api.Profiles.Bought("u", "lamp1", "chair1", "chair1", "chair1");
        Assert.Equal("chair1", (await RecommendAsync(api, new { user_id = "u", exclude_seen = false }))[0].Id);
        Assert.Equal(["chair2", "lamp2"], (await RecommendAsync(api, new { user_id = "u" })).Select(item => item.Id).Order());
    }

    [Fact]
    public async Task Item_bought_just_now_comes_after_the_others()
    {
        await using var api = await ShopAsync(("Ranking:History", "10"));
        api.Profiles.Bought("u", "chair1");
        Assert.Equal("chair1", (await RecommendAsync(api, new { user_id = "u", exclude_seen = false }))[0].Id);
        api.Profiles.BoughtAt(long.MaxValue / 2, "u", "chair1"); // later than now counts as now
        Assert.Equal("chair1", (await RecommendAsync(api, new { user_id = "u", exclude_seen = false }))[^1].Id);
    }

    [Fact]
    public async Task Popular_item_enters_that_the_model_would_not_have_found()
    {
        await using var api = await ShopAsync(("Ranking:Candidates", "1"), ("Ranking:Popularity", "10"));
        api.Profiles.Bought("u", "lamp1");
        Assert.Equal("lamp2", (await RecommendAsync(api, new { user_id = "u", k = 1 })).Single().Id);
        Popular(api, "chair2", "chair2", "lamp2");
        var (id, score) = (await RecommendAsync(api, new { user_id = "u", k = 1 })).Single();
        Assert.Equal("chair2", id);
        Assert.InRange(score, 9, 11); // the most popular item has the whole weight; its cosine comes on top
    }

    [Fact]
    public async Task Nothing_hidden_filtered_or_excluded_comes_in_by_popularity_or_history()
    {
        await using var api = await ShopAsync(("Ranking:Candidates", "1"), ("Ranking:Popularity", "10"), ("Ranking:History", "10"));
        await api.IndexAsync("chair3", "old chair", available: false, department: "chairs");
        Popular(api, "chair1", "chair2", "chair3", "lamp2");
        api.Profiles.Bought("u", "lamp1", "chair1", "chair2", "chair3");
        await api.SendAsync(HttpMethod.Delete, "/v1/items/chair1");

        Assert.Equal(["chair2", "lamp1", "lamp2"], (await RecommendAsync(api, new { user_id = "u", exclude_seen = false })).Select(item => item.Id).Order());
        Assert.Equal(["lamp1", "lamp2"], (await RecommendAsync(api, new { user_id = "u", exclude_seen = false, filter = new { department = "lamps" } })).Select(item => item.Id).Order());
        Assert.DoesNotContain("chair2", (await RecommendAsync(api, new { user_id = "u", exclude_seen = false, exclude_ids = new[] { "chair2" } })).Select(item => item.Id));
    }

    [Fact]
    public async Task Model_alone_ranks_by_the_cosine()
    {
        await using var api = await ShopAsync(("Ranking:Popularity", "0"), ("Ranking:History", "0"));
        Popular(api, "chair2", "chair2");
        api.Profiles.Bought("u", "lamp1", "chair1");
        var collection = (await api.Index.FindAsync((await api.Index.ResolveAliasAsync("items", ApiUnderTest.Token))!.Collection, ApiUnderTest.Token))!;
        var vectors = (await api.Index.FetchAsync(collection.Name, [new ItemId("lamp1"), new ItemId("chair1")], ApiUnderTest.Token)).ToDictionary(item => item.Id, item => item.Vector);
        var history = await api.Profiles.GetAsync(new UserId("u"), ApiUnderTest.Token);
        float[] user = UserVector.From(history, item => vectors[item], new UserVectorOptions(), history[0].TimestampMs)!;
        var expected = await api.Index.SearchAsync(collection.Name, new QueryVector(collection.Fingerprint, user), 4, ItemFilter.None, ApiUnderTest.Token);
        Assert.Equal(expected.Select(item => (item.Id.Value, (double)item.Score)), await RecommendAsync(api, new { user_id = "u", exclude_seen = false, k = 4 }));
    }

    [Fact]
    public async Task Explanation_of_a_popular_item_names_the_nearest_of_the_history()
    {
        await using var api = await ShopAsync(("Ranking:Popularity", "10"));
        Popular(api, "chair2");
        api.Profiles.Bought("u", "lamp1", "chair1");
        var (_, answer) = await api.PostAsync("/v1/recommendations", new { user_id = "u", k = 1, explain = true });
        Assert.Equal("chair2", ApiUnderTest.Ids(answer).Single());
        Assert.Equal("chair1", answer.GetProperty("items")[0].GetProperty("because").GetProperty("item_id").GetString());
    }

    [Theory]
    [InlineData("Ranking:Model", "-1", "Model")]
    [InlineData("Ranking:History", "NaN", "History")]
    [InlineData("Ranking:Popularity", "101", "Popularity")]
    [InlineData("Ranking:Candidates", "0", "Candidates")]
    [InlineData("Ranking:Rest", "-00:00:01", "Rest")]
    public async Task Setting_out_of_its_range_stops_the_start(string key, string value, string named) =>
        Assert.Contains(named, (await Assert.ThrowsAsync<OptionsValidationException>(() => ApiUnderTest.StartAsync(serving: false, (key, value)))).Message);

    [Fact]
    public async Task Weights_that_rank_by_nothing_stop_the_start() =>
        Assert.Contains("expected one above 0", (await Assert.ThrowsAsync<OptionsValidationException>(
            () => ApiUnderTest.StartAsync(serving: false, ("Ranking:Model", "0"), ("Ranking:Popularity", "0"), ("Ranking:History", "0")))).Message);

    private static async Task<ApiUnderTest> ShopAsync(params (string, string)[] settings)
    {
        var api = await ApiUnderTest.StartAsync(serving: true, settings);
        await api.IndexAsync("lamp1", "red lamp", department: "lamps");
        await api.IndexAsync("lamp2", "blue lamp", department: "lamps");
        await api.IndexAsync("chair1", "green chair", department: "chairs");
        await api.IndexAsync("chair2", "wooden chair", department: "chairs");
        return api;
    }

    private static void Popular(ApiUnderTest api, params string[] items)
    {
        foreach (string item in items) api.Services.GetRequiredService<PopularityCounter>().Add(new ItemId(item), 1, 0);
    }

    private static async Task<IReadOnlyList<(string Id, double Score)>> RecommendAsync(ApiUnderTest api, object request)
    {
        var (status, answer) = await api.PostAsync("/v1/recommendations", request);
        Assert.Equal(HttpStatusCode.OK, status);
        return [.. answer.GetProperty("items").EnumerateArray().Select(item => (item.GetProperty("item_id").GetString()!, item.GetProperty("score").GetDouble()))];
    }
}
