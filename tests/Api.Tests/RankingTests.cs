using System.Net;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.InMemory;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class RankingTests
{
    [Fact]
    public async Task Search_finds_by_text_and_names_the_pair()
    {
        await using var api = await ShopAsync();
        var (status, answer) = await api.PostAsync("/v1/search", new { text = "red lamp", k = 2 });
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("lamp1", ApiUnderTest.Ids(answer)[0]);
        Assert.Equal(2, ApiUnderTest.Ids(answer).Count);
        Assert.Equal(1, answer.GetProperty("index_generation").GetInt64());
    }

    [Fact]
    public async Task Filter_leaves_only_items_with_the_attribute()
    {
        await using var api = await ShopAsync();
        var (_, answer) = await api.PostAsync("/v1/search", new { text = "red lamp", filter = new { department = "chairs" } });
        Assert.Equal(["chair1", "chair2"], ApiUnderTest.Ids(answer).Order());
        (_, answer) = await api.PostAsync("/v1/search", new { text = "red lamp", filter = new { department = new[] { "chairs", "lamps" } } });
        Assert.Equal(4, ApiUnderTest.Ids(answer).Count);
    }

    [Fact]
    public async Task Recommendations_follow_the_history_leave_out_what_was_seen_and_explain()
    {
        await using var api = await ShopAsync();
        api.Profiles.Bought("u1", "lamp1");
        var (_, answer) = await api.PostAsync("/v1/recommendations", new { user_id = "u1", k = 3, explain = true });
        Assert.Equal("lamp2", ApiUnderTest.Ids(answer)[0]);
        Assert.DoesNotContain("lamp1", ApiUnderTest.Ids(answer));
        Assert.Equal("lamp1", answer.GetProperty("items")[0].GetProperty("because").GetProperty("item_id").GetString());
        Assert.False(answer.TryGetProperty("fallback", out _));

        (_, answer) = await api.PostAsync("/v1/recommendations", new { history = new[] { "lamp1" }, exclude_seen = false, exclude_ids = new[] { "lamp2" } });
        Assert.Equal("lamp1", ApiUnderTest.Ids(answer)[0]);
        Assert.DoesNotContain("lamp2", ApiUnderTest.Ids(answer));
    }

    [Fact]
    public async Task Unknown_user_gets_popular_items_marked_as_such()
    {
        await using var api = await ShopAsync();
        string[] bought = ["chair1", "chair1", "lamp2", "notindexed", "notindexed", "notindexed"];
        await api.PostAsync("/v1/events", bought.Select((item, n) => new { user_id = $"x{n}", item_id = item, type = "purchase", timestamp = 1_700_000_000_000 }));
        JsonElement answer = default;
        await ApiUnderTest.UntilAsync(async () =>
        {
            (_, answer) = await api.PostAsync("/v1/recommendations", new { user_id = "nobody", k = 5 });
            return ApiUnderTest.Ids(answer).Count == 2;
        });
        Assert.Equal(["chair1", "lamp2"], ApiUnderTest.Ids(answer));
        Assert.Equal("popular", answer.GetProperty("fallback").GetString());
    }

    [Fact]
    public async Task Popular_items_of_a_narrow_filter_are_found_behind_all_that_are_more_popular()
    {
        await using var api = await ApiUnderTest.StartAsync();
        for (int n = 0; n < 1500; n++) await api.IndexAsync($"common{n}", "green chair", department: "chairs");
        foreach (string id in new[] { "rare1", "rare2", "rare3", "untouched" }) await api.IndexAsync(id, "red lamp", department: "lamps");
        var bought = Enumerable.Range(0, 1500).Select(n => (Item: $"common{n}", Type: "purchase")).Append((Item: "rare1", Type: "view")).Append((Item: "rare2", Type: "click")).Append((Item: "rare3", Type: "click"));
        await api.PostAsync("/v1/events", bought.Select((one, n) => new { user_id = $"x{n}", item_id = one.Item, type = one.Type, timestamp = 1_700_000_000_000 }));
        await api.SendAsync(HttpMethod.Delete, "/v1/items/rare3");
        JsonElement answer = default;
        await ApiUnderTest.UntilAsync(async () =>
        {
            (_, answer) = await api.PostAsync("/v1/recommendations", new { user_id = "nobody", filter = new { department = "lamps" } });
            return ApiUnderTest.Ids(answer).Count == 2;
        });
        Assert.Equal(["rare2", "rare1"], ApiUnderTest.Ids(answer));
        Assert.Equal([0.3, 0.1], answer.GetProperty("items").EnumerateArray().Select(item => Math.Round(item.GetProperty("score").GetDouble(), 6)));
        Assert.Equal("popular", answer.GetProperty("fallback").GetString());
    }

    [Fact]
    public async Task Profiles_that_cannot_be_reached_cost_the_personal_answer_not_the_answer()
    {
        await using var api = await ShopAsync();
        api.Profiles.Bought("u", "lamp1");
        await api.PostAsync("/v1/events", new[] { new { user_id = "x", item_id = "chair1", type = "purchase", timestamp = 1_700_000_000_000 } });
        JsonElement answer = default;
        await ApiUnderTest.UntilAsync(async () =>
        {
            (_, answer) = await api.PostAsync("/v1/recommendations", new { user_id = "nobody", k = 5 });
            return ApiUnderTest.Ids(answer).Count == 1;
        });
        (_, answer) = await api.PostAsync("/v1/recommendations", new { user_id = "u", k = 5 });
        Assert.False(answer.TryGetProperty("fallback", out var fallback) && fallback.ValueKind == JsonValueKind.String);
        api.Profiles.Unreachable = true;
        (var status, answer) = await api.PostAsync("/v1/recommendations", new { user_id = "u", k = 5 });
        Assert.Equal((HttpStatusCode.OK, "popular"), (status, answer.GetProperty("fallback").GetString()));
        Assert.Equal(["chair1"], ApiUnderTest.Ids(answer));
    }

    [Fact]
    public async Task Similar_items_do_not_hold_the_item_itself()
    {
        await using var api = await ShopAsync();
        var (_, answer) = await api.SendAsync(HttpMethod.Get, "/v1/items/lamp1/similar?k=1");
        Assert.Equal(["lamp2"], ApiUnderTest.Ids(answer));
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, "/v1/items/nothing/similar")).Status);
    }

    [Theory]
    [InlineData("a/b", "a%2Fb")]
    [InlineData("a%2Fb", "a%252Fb")]
    [InlineData("ü ?", "%C3%BC%20%3F")]
    public async Task Ids_survive_the_path(string id, string encoded)
    {
        await using var api = await ShopAsync();
        await api.IndexAsync(id, "red lamp");
        await api.IndexAsync("a other", "red lamp");
        var (status, answer) = await api.SendAsync(HttpMethod.Get, $"/v1/items/{encoded}/similar");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.DoesNotContain(id, ApiUnderTest.Ids(answer));
        (status, answer) = await api.SendAsync(HttpMethod.Get, $"/v1/items/{encoded}");
        Assert.Equal((HttpStatusCode.OK, id, "red lamp"), (status, answer.GetProperty("item_id").GetString(), answer.GetProperty("title").GetString()));
        (status, answer) = await api.SendAsync(HttpMethod.Put, $"/v1/items/{encoded}", """{"title":"t"}""");
        Assert.Equal((HttpStatusCode.Accepted, id), (status, answer.GetProperty("item_id").GetString()));
    }

    [Fact]
    public async Task Deleted_and_unavailable_items_are_in_no_later_answer_though_the_index_still_has_them()
    {
        await using var api = await ShopAsync();
        Assert.Equal(HttpStatusCode.Accepted, (await api.SendAsync(HttpMethod.Delete, "/v1/items/lamp1")).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await api.SendAsync(HttpMethod.Put, "/v1/items/chair1", """{"title":"green chair","available":false}""")).Status);

        var (_, search) = await api.PostAsync("/v1/search", new { text = "red lamp", k = 10 });
        Assert.Equal(["chair2", "lamp2"], ApiUnderTest.Ids(search).Order());
        var (_, similar) = await api.SendAsync(HttpMethod.Get, "/v1/items/lamp2/similar");
        Assert.Equal(["chair2"], ApiUnderTest.Ids(similar));
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, "/v1/items/lamp1/similar")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, "/v1/items/lamp1")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, "/v1/items/chair1")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, "/v1/items/nothing")).Status);

        await api.SendAsync(HttpMethod.Put, "/v1/items/chair1", """{"title":"green chair","available":true}""");
        (_, search) = await api.PostAsync("/v1/search", new { text = "red lamp", k = 10 });
        Assert.Contains("chair1", ApiUnderTest.Ids(search));
    }

    [Fact]
    public async Task Hidden_item_is_released_when_the_indexer_has_passed_it_in_the_collection_that_serves()
    {
        await using var api = await ShopAsync();
        await api.SendAsync(HttpMethod.Delete, "/v1/items/lamp1");
        var hidden = (HiddenItems)api.Services.GetService(typeof(HiddenItems))!;
        Assert.Contains(new ItemId("lamp1"), hidden.Current);
        await api.Log.Subscribe(Topics.Items, ReaderGroups.Indexer, _ => 0).CommitAsync(0, 1, ApiUnderTest.Token);
        await ApiUnderTest.UntilAsync(() => Task.FromResult(hidden.Current.Count == 0));
    }

    [Fact]
    public async Task Restart_hides_what_the_indexer_has_not_reached()
    {
        var hidden = new HiddenItems();
        hidden.Note(new ItemId("i"), hidden: true, new LogPosition(0, 5));
        hidden.Note(new ItemId("i"), hidden: false, new LogPosition(0, 4));
        Assert.Contains(new ItemId("i"), hidden.Current);
        hidden.Release(0, 5);
        Assert.Contains(new ItemId("i"), hidden.Current);
        hidden.Release(0, 6);
        Assert.Empty(hidden.Current);

        await using var api = await ApiUnderTest.StartAsync(serving: false);
        await api.Log.AppendAsync(Topics.Items, [new LogRecord("gone"u8.ToArray(), null)], ApiUnderTest.Token);
        var known = (HiddenItems)api.Services.GetService(typeof(HiddenItems))!;
        await ApiUnderTest.UntilAsync(() => Task.FromResult(known.Current.Contains(new ItemId("gone"))));
    }

    [Theory]
    [InlineData("/v1/search", """{"text":"x","k":0}""", "k")]
    [InlineData("/v1/search", """{"text":"x","k":1001}""", "k")]
    [InlineData("/v1/search", """{"text":" "}""", "text")]
    [InlineData("/v1/search", """{"text":"x","filter":{"a":{}}}""", "filter.a")]
    [InlineData("/v1/recommendations", """{}""", "user_id")]
    [InlineData("/v1/recommendations", """{"user_id":"u","history":["i"]}""", "user_id")]
    [InlineData("/v1/recommendations", """{"history":["i",""]}""", "history[1]")]
    [InlineData("/v1/recommendations", """{"user_id":"u","k":"ten"}""", "k")]
    [InlineData("/v1/recommendations", """{"user_id":"u","exlude_seen":true}""", "exlude_seen")]
    public async Task Refusals_name_the_field(string path, string body, string field)
    {
        await using var api = await ShopAsync();
        var (status, problem) = await api.SendAsync(HttpMethod.Post, path, body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.Contains(field.Split('[')[0], problem.GetProperty("detail").GetString());
        Assert.Equal(1, problem.GetProperty("index_generation").GetInt64());
        Assert.Equal(("invalid_field", "urn:beeformer:problem:invalid_field"), (problem.GetProperty("code").GetString(), problem.GetProperty("type").GetString()));
        Assert.NotEmpty(problem.GetProperty("trace_id").GetString()!);
        Assert.DoesNotContain("   at ", problem.GetRawText());
    }

    [Fact]
    public async Task Failure_inside_is_a_problem_without_a_stack_trace()
    {
        var index = new MemoryVectorIndex();
        await using var api = await ApiUnderTest.StartOnAsync(index);
        index.OnRead = _ => throw new InvalidOperationException("something nobody has thought of");
        var (status, problem) = await api.PostAsync("/v1/search", new { text = "x" });
        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.DoesNotContain("Exception", problem.GetRawText());
    }

    internal static async Task<ApiUnderTest> ShopAsync()
    {
        var api = await ApiUnderTest.StartAsync();
        await api.IndexAsync("lamp1", "red lamp", department: "lamps");
        await api.IndexAsync("lamp2", "blue lamp", department: "lamps");
        await api.IndexAsync("chair1", "green chair", department: "chairs");
        await api.IndexAsync("chair2", "wooden chair", department: "chairs");
        return api;
    }
}
