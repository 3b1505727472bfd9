using System.Net;
using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>Scores of given items, embeddings, and several requests at once.</summary>
public sealed class ScoreTests
{
    [Fact]
    public async Task Candidates_have_the_scores_of_recommendations_and_the_others_are_named()
    {
        await using var api = await RankingTests.ShopAsync();
        api.Profiles.Bought("u", "lamp1");
        api.Services.GetRequiredService<PopularityCounter>().Add(new ItemId("chair1"), 3, 1_700_000_000_000);
        await api.IndexAsync("old", "old lamp", available: false);
        await api.SendAsync(HttpMethod.Delete, "/v1/items/chair2");
        var (_, recommended) = await api.PostAsync("/v1/recommendations", new { user_id = "u", exclude_seen = false });
        var (status, scored) = await api.PostAsync("/v1/score", new { user_id = "u", candidates = new[] { "chair1", "nothing", "lamp1", "old", "chair2", "lamp2", "lamp1" } });
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            recommended.GetProperty("items").EnumerateArray().Select(item => (item.GetProperty("item_id").GetString(), Math.Round(item.GetProperty("score").GetDouble(), 5))),
            scored.GetProperty("items").EnumerateArray().Select(item => (item.GetProperty("item_id").GetString(), Math.Round(item.GetProperty("score").GetDouble(), 5))));
        Assert.Equal([("nothing", "unknown"), ("old", "hidden"), ("chair2", "hidden")],
            scored.GetProperty("left_out").EnumerateArray().Select(item => (item.GetProperty("item_id").GetString(), item.GetProperty("reason").GetString())));
        Assert.False(scored.TryGetProperty("fallback", out _));
    }

    [Fact]
    public async Task Where_nothing_is_known_of_the_user_popularity_scores()
    {
        await using var api = await RankingTests.ShopAsync();
        var popularity = api.Services.GetRequiredService<PopularityCounter>();
        popularity.Add(new ItemId("lamp2"), 4, 1_700_000_000_000);
        popularity.Add(new ItemId("chair1"), 1, 1_700_000_000_000);
        var (_, scored) = await api.PostAsync("/v1/score", new { user_id = "nobody", candidates = new[] { "lamp1", "chair1", "lamp2" } });
        Assert.Equal("popular", scored.GetProperty("fallback").GetString());
        Assert.Equal([("lamp2", 1.0), ("chair1", 0.25), ("lamp1", 0.0)], scored.GetProperty("items").EnumerateArray().Select(item => (item.GetProperty("item_id").GetString(), item.GetProperty("score").GetDouble())));
    }

    [Theory]
    [InlineData("/v1/score")]
    [InlineData("/v1/recommendations")]
    public async Task Unknown_items_of_a_history_say_nothing_wherever_they_stand(string path)
    {
        await using var api = await RankingTests.ShopAsync();
        object Request(params string[] history) => path == "/v1/score" ? new { history, candidates = new[] { "lamp2", "chair1" } } : new { history };
        var (status, answer) = await api.PostAsync(path, Request("nothing", "lamp1", "neither"));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(ApiUnderTest.Ids((await api.PostAsync(path, Request("lamp1"))).Body), ApiUnderTest.Ids(answer));
        Assert.Equal("lamp2", ApiUnderTest.Ids(answer)[0]);
    }

    [Fact]
    public async Task Embeddings_come_with_their_fingerprint()
    {
        await using var api = await RankingTests.ShopAsync();
        api.Profiles.Bought("u", "lamp1");
        await api.SendAsync(HttpMethod.Delete, "/v1/items/chair2");
        var (_, items) = await api.PostAsync("/v1/embeddings", new { item_ids = new[] { "lamp1", "nothing", "chair2" } });
        var (_, texts) = await api.PostAsync("/v1/embeddings", new { texts = new[] { "red lamp", "chair" } });
        var (_, user) = await api.PostAsync("/v1/embeddings", new { user_id = "u" });
        var (_, nobody) = await api.PostAsync("/v1/embeddings", new { user_id = "nobody" });
        static double[]? Vector(System.Text.Json.JsonElement answer, int n) =>
            answer.GetProperty("embeddings")[n].GetProperty("vector") is { ValueKind: System.Text.Json.JsonValueKind.Array } vector ? [.. vector.EnumerateArray().Select(value => Math.Round(value.GetDouble(), 5))] : null;
        Assert.Equal(Vector(items, 0), Vector(texts, 0));
        Assert.Equal(Vector(items, 0), Vector(user, 0));
        Assert.NotEqual(Vector(texts, 0), Vector(texts, 1));
        Assert.Equal(("unknown", "hidden"), (items.GetProperty("embeddings")[1].GetProperty("reason").GetString(), items.GetProperty("embeddings")[2].GetProperty("reason").GetString()));
        Assert.Null(Vector(items, 1));
        Assert.Null(Vector(items, 2));
        Assert.Equal("unknown", nobody.GetProperty("embeddings")[0].GetProperty("reason").GetString());
        Assert.Equal(api.Pairs.Identity!.Fingerprint.Value, texts.GetProperty("fingerprint").GetString());
    }

    [Fact]
    public async Task A_batch_is_answered_by_one_pair_with_a_verdict_each()
    {
        await using var api = await RankingTests.ShopAsync();
        var (status, answer) = await api.SendAsync(HttpMethod.Post, "/v1/recommendations/batch", """
            {"requests":[{"history":["lamp1"],"k":1},{"k":0,"user_id":"u"},{"user_id":"u","k":"many"},null,{"user_id":"u","filter":{"must":[{"attribute":"a","gte":"x"}]}},{"history":["chair1"],"k":1,"exclude_seen":false}]}
            """);
        Assert.Equal((HttpStatusCode.OK, 1), (status, answer.GetProperty("index_generation").GetInt64()));
        var results = answer.GetProperty("results").EnumerateArray().ToList();
        Assert.Equal(["answered", "refused", "refused", "refused", "refused", "answered"], results.Select(result => result.GetProperty("status").GetString()));
        Assert.Equal(["lamp2", "chair1"], [.. ApiUnderTest.Ids(results[0]), .. ApiUnderTest.Ids(results[5])]);
        Assert.Contains("k is 0", results[1].GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("k cannot be read", results[2].GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("invalid_json", results[3].GetProperty("reason").GetString());
        Assert.Contains("filter.must[0].gte", results[4].GetProperty("message").GetString(), StringComparison.Ordinal);

        string cursor = results[0].GetProperty("cursor").GetString()!;
        var (_, next) = await api.PostAsync("/v1/recommendations/batch", new { requests = new[] { new { history = new[] { "lamp1" }, cursor } } });
        Assert.DoesNotContain("lamp2", ApiUnderTest.Ids(next.GetProperty("results")[0]));
        (_, answer) = await api.PostAsync("/v1/search/batch", new { requests = new[] { new { text = "red lamp", k = 1 }, new { text = "wooden chair", k = 1 } } });
        Assert.Equal(["lamp1", "chair2"], answer.GetProperty("results").EnumerateArray().SelectMany(ApiUnderTest.Ids));
    }

    [Theory]
    [InlineData("/v1/score", """{"user_id":"u"}""", 400, "candidates")]
    [InlineData("/v1/score", """{"candidates":["i"]}""", 400, "user_id")]
    [InlineData("/v1/score", """{"user_id":"u","candidates":["i",""]}""", 400, "candidates[1]")]
    [InlineData("/v1/score", """{"user_id":"u","candidates":["1","2","3","4"]}""", 413, "candidates")]
    [InlineData("/v1/embeddings", """{}""", 400, "texts")]
    [InlineData("/v1/embeddings", """{"texts":["a"],"user_id":"u"}""", 400, "texts")]
    [InlineData("/v1/embeddings", """{"texts":[]}""", 400, "texts")]
    [InlineData("/v1/embeddings", """{"texts":["a"," "]}""", 400, "texts[1]")]
    [InlineData("/v1/embeddings", """{"texts":["a","b","c"]}""", 413, "texts")]
    [InlineData("/v1/embeddings", """{"texts":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]}""", 400, "texts[0]")]
    [InlineData("/v1/embeddings", """{"item_ids":["a","b","c"]}""", 413, "item_ids")]
    [InlineData("/v1/recommendations/batch", """{}""", 400, "requests")]
    [InlineData("/v1/recommendations/batch", """{"requests":[]}""", 400, "requests")]
    [InlineData("/v1/search/batch", """{"requests":[{},{},{}]}""", 413, "requests")]
    [InlineData("/v1/search/batch", """{"requests":7}""", 400, "requests")]
    [InlineData("/v1/search", """{"text":"a","text":"b"}""", 400, "text")]
    public async Task Limits_hold_and_name_the_field(string path, string body, int expected, string field)
    {
        await using var api = await ApiUnderTest.StartAsync(true, ("Api:MaxIds", "3"), ("Api:MaxQueries", "2"), ("Api:MaxTextLength", "20"));
        var (status, problem) = await api.SendAsync(HttpMethod.Post, path, body);
        Assert.Equal((expected, field), ((int)status, problem.GetProperty("field").GetString()));
        Assert.Contains(field.Split('[')[0], problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
