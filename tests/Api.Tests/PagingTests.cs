using System.Net;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class PagingTests
{
    [Theory]
    [InlineData("/v1/search", """{"text":"number 7","k":7}""")]
    [InlineData("/v1/recommendations", """{"history":["i3"],"k":7}""")]
    [InlineData("/v1/recommendations", """{"history":["unknown"],"k":7}""")]
    [InlineData("/v1/items/i3/similar", """{"k":7,"exclude_ids":["i4"]}""")]
    public async Task Pages_show_everything_once_though_the_ranking_moves(string path, string body)
    {
        await using var api = await CatalogueAsync(40);
        var seen = new List<string>();
        string? cursor = null;
        for (int page = 0; page == 0 || cursor is not null; page++)
        {
            // What was shown last moves to the front, and something new comes before it.
            if (page > 0)
            {
                await api.IndexAsync(seen[^1], "number 7 7 7", revision: page);
                await api.IndexAsync($"new{page}", "number 7 7", revision: page);
                Buy(api, seen[^1]);
            }
            var answer = await PageAsync(api, path, body, cursor);
            Assert.True(ApiUnderTest.Ids(answer).Count == 7 || !answer.TryGetProperty("cursor", out _));
            seen.AddRange(ApiUnderTest.Ids(answer));
            cursor = answer.TryGetProperty("cursor", out var next) ? next.GetString() : null;
            Assert.True(page < 20);
        }
        Assert.Equal(seen.Count, seen.Distinct().Count());
        var expected = Enumerable.Range(0, 40).Select(n => $"i{n}").Where(id => !(id == "i3" && !path.EndsWith("search", StringComparison.Ordinal) && !body.Contains("unknown", StringComparison.Ordinal)) && !(id == "i4" && body.Contains("i4", StringComparison.Ordinal)));
        Assert.Empty(expected.Except(seen));
    }

    [Fact]
    public async Task Without_changes_pages_are_the_whole_ranking_in_parts()
    {
        await using var api = await CatalogueAsync(30);
        var (_, whole) = await api.PostAsync("/v1/search", new { text = "number 7", k = 30 });
        Assert.False(whole.TryGetProperty("cursor", out _));
        var parts = new List<string>();
        string? cursor = null;
        foreach (int k in new[] { 1, 9, 15, 5 })
        {
            var answer = await PageAsync(api, "/v1/search", $$"""{"text":"number 7","k":{{k}}}""", cursor);
            parts.AddRange(ApiUnderTest.Ids(answer));
            cursor = answer.TryGetProperty("cursor", out var next) ? next.GetString() : null;
        }
        Assert.Null(cursor);
        Assert.Equal(ApiUnderTest.Ids(whole), parts);
    }

    [Fact]
    public async Task Paging_ends_at_its_depth()
    {
        await using var api = await CatalogueAsync(Page.MaxDepth + 20);
        var answer = await PageAsync(api, "/v1/search", """{"text":"number","k":990}""", null);
        answer = await PageAsync(api, "/v1/search", """{"text":"number","k":990}""", answer.GetProperty("cursor").GetString());
        Assert.Equal(Page.MaxDepth - 990, ApiUnderTest.Ids(answer).Count);
        Assert.False(answer.TryGetProperty("cursor", out _));
    }

    [Fact]
    public async Task A_cursor_also_fits_into_a_query_string()
    {
        await using var api = await CatalogueAsync(1000);
        var (_, answer) = await api.SendAsync(HttpMethod.Get, "/v1/items/i1/similar?k=950&exclude_ids=i2&exclude_ids=i5");
        string cursor = answer.GetProperty("cursor").GetString()!;
        var (status, next) = await api.SendAsync(HttpMethod.Get, $"/v1/items/i1/similar?k=100&exclude_ids=i2&exclude_ids=i5&cursor={cursor}");
        Assert.Equal((HttpStatusCode.OK, 47), (status, ApiUnderTest.Ids(next).Count));
        Assert.Empty(ApiUnderTest.Ids(next).Intersect([.. ApiUnderTest.Ids(answer), "i1", "i2", "i5"]));
        Assert.Equal(47, ApiUnderTest.Ids(await PageAsync(api, "/v1/items/i1/similar", """{"k":100,"exclude_ids":["i2","i5"]}""", cursor)).Count);
    }

    [Fact]
    public async Task A_cursor_of_before_a_switch_is_gone_and_says_so()
    {
        await using var api = await CatalogueAsync(20);
        string? cursor = (await PageAsync(api, "/v1/search", """{"text":"number 7"}""", null)).GetProperty("cursor").GetString();
        await api.ServeAsync('b');
        await ApiUnderTest.UntilAsync(() => Task.FromResult(api.Pairs.Identity!.Generation == 2));
        var (status, problem) = await api.PostAsync("/v1/search", new { text = "number 7", cursor });
        Assert.Equal((HttpStatusCode.Gone, "cursor_expired"), (status, problem.GetProperty("code").GetString()));
        Assert.Contains("Start again", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cursor_of_another_request_or_of_nobody_is_refused()
    {
        await using var api = await CatalogueAsync(20);
        string cursor = (await PageAsync(api, "/v1/search", """{"text":"number 7"}""", null)).GetProperty("cursor").GetString()!;
        foreach (var (path, body) in new (string, object)[]
        {
            ("/v1/search", new { text = "number 8", cursor }),
            ("/v1/search", new { text = "number 7", exclude_ids = new[] { "i1" }, cursor }),
            ("/v1/search", new { text = "number 7", filter = new { a = 1 }, cursor }),
            ("/v1/recommendations", new { user_id = "number 7", cursor }),
            ("/v1/items/i1/similar", new { cursor }),
            ("/v1/search", new { text = "number 7", cursor = cursor[..^4] }),
            ("/v1/search", new { text = "number 7", cursor = cursor[..^4] + "AAAA" }),
            ("/v1/search", new { text = "number 7", cursor = "" }),
            ("/v1/search", new { text = "number 7", cursor = "ü" }),
            ("/v1/search", new { text = "number 7", cursor = new string('A', 100_000) }),
        })
        {
            var (status, problem) = await api.PostAsync(path, body);
            Assert.Equal((HttpStatusCode.BadRequest, "cursor"), (status, problem.GetProperty("field").GetString()));
        }
        // The same request, written otherwise.
        Assert.Equal(HttpStatusCode.OK, (await api.SendAsync(HttpMethod.Post, "/v1/search", $$"""{ "k": 3, "cursor": "{{cursor}}", "text": "number\u00207" }""")).Status);
    }

    private static async Task<ApiUnderTest> CatalogueAsync(int items)
    {
        var api = await ApiUnderTest.StartAsync();
        for (int n = 0; n < items; n++) await api.IndexAsync($"i{n}", $"number {n}");
        for (int n = 0; n < Math.Min(items, 40); n++) Buy(api, $"i{n}");
        return api;
    }

    private static void Buy(ApiUnderTest api, string item) => api.Services.GetRequiredService<PopularityCounter>().Add(new ItemId(item), 1, 1_700_000_000_000);

    private static async Task<JsonElement> PageAsync(ApiUnderTest api, string path, string body, string? cursor)
    {
        var (status, answer) = await api.SendAsync(HttpMethod.Post, path, cursor is null ? body : body[..^1] + $",\"cursor\":\"{cursor}\"}}");
        Assert.True(status == HttpStatusCode.OK, answer.ToString());
        return answer;
    }
}
