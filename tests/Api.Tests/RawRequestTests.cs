using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>What comes over a real socket: ids in odd paths, clients that send too slowly or too much.</summary>
public sealed class RawRequestTests
{
    [Theory]
    [InlineData("%2E", ".")]
    [InlineData("%2e%2E", "..")]
    [InlineData("..%2F..%2Fetc%2Fpasswd", "../../etc/passwd")]
    [InlineData("%2F", "/")]
    [InlineData("a%2F", "a/")]
    [InlineData("a%252Fb", "a%2Fb")]
    [InlineData("%25", "%")]
    [InlineData("%", "%")]
    [InlineData("a+b", "a+b")]
    [InlineData("a;b=c,d", "a;b=c,d")]
    [InlineData("%F0%9F%90%9D", "🐝")]
    [InlineData("%0A%09%7F", "\n\t\u007F")]
    [InlineData("%22%5C%3Cscript%3E", "\"\\<script>")]
    [InlineData("%3Fk%3D1%23", "?k=1#")]
    [InlineData("e%CC%81", "e\u0301")]
    [InlineData("similar", "similar")]
    public async Task Ids_in_paths_are_what_the_client_meant(string encoded, string id)
    {
        await using var api = await ApiUnderTest.StartAsync();
        Assert.StartsWith("HTTP/1.1 202", await RawConnection.AskAsync(api, $"PUT /v1/items/{encoded}?x=/y", """{"title":"t"}"""), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 202", await RawConnection.AskAsync(api, $"DELETE /v1/items/{encoded}"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 202", await RawConnection.AskAsync(api, $"DELETE /v1/users/{encoded}/"), StringComparison.Ordinal);
        Assert.Contains("\"not_found\"", await RawConnection.AskAsync(api, $"GET /v1/items/{encoded}/similar"), StringComparison.Ordinal);
        var items = await api.Log.Subscribe(Topics.Items, "test", _ => 0).ReadAsync(10, ApiUnderTest.Token);
        Assert.Equal([id, id], items.Select(message => Encoding.UTF8.GetString(message.Key.Span)));
        var users = await api.Log.Subscribe(Topics.Interactions, "test", _ => 0).ReadAsync(10, ApiUnderTest.Token);
        Assert.Equal([id], users.Select(message => Encoding.UTF8.GetString(message.Key.Span)));
    }

    [Theory]
    [InlineData("DELETE /v1/items/%FF", "400")]
    [InlineData("DELETE /v1/items/%C3", "400")]
    [InlineData("DELETE /v1/items/%00", "400")]
    [InlineData("DELETE /v1/items/", "404 405")]
    [InlineData("DELETE /v1/items/a/b", "404 405")]
    [InlineData("DELETE /v1/items/a/..", "404 405")]
    [InlineData("DELETE /v1/items/a/%2E", "404 405")]
    [InlineData("DELETE /v1/items/a/../b", "404 405")]
    [InlineData("DELETE /v1/search/../items/a", "404 405")]
    public async Task Paths_that_name_no_id_delete_nothing(string requestLine, string expected)
    {
        await using var api = await ApiUnderTest.StartAsync();
        string answer = await RawConnection.AskAsync(api, requestLine);
        Assert.True(expected.Split(' ').Contains(answer.Split(' ')[1]), answer);
        Assert.Equal(0, await api.Log.EndOffsetAsync(Topics.Items, 0, ApiUnderTest.Token));
    }

    [Fact]
    public async Task Ids_beyond_512_bytes_are_refused_and_one_of_512_is_not()
    {
        await using var api = await ApiUnderTest.StartAsync();
        string longest = string.Concat(Enumerable.Repeat("%F0%9F%90%9D", 128));
        Assert.StartsWith("HTTP/1.1 202", await RawConnection.AskAsync(api, $"DELETE /v1/items/{longest}"), StringComparison.Ordinal);
        Assert.Contains("at most 512", await RawConnection.AskAsync(api, $"DELETE /v1/items/{longest}a"), StringComparison.Ordinal);
        Assert.Contains("at most 512", await RawConnection.AskAsync(api, $"DELETE /v1/items/{new string('a', 10_000)}"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 414", await RawConnection.AskAsync(api, $"DELETE /v1/items/{new string('a', 100_000)}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Huge_heads_are_refused()
    {
        await using var api = await ApiUnderTest.StartAsync();
        Assert.StartsWith("HTTP/1.1 431", await RawConnection.AskAsync(api, $"GET /healthz HTTP/1.1\r\nX-Much: {new string('a', 40_000)}\r\nX:"), StringComparison.Ordinal);
        string many = string.Concat(Enumerable.Range(0, 200).Select(n => $"X-{n}: a\r\n"));
        Assert.StartsWith("HTTP/1.1 431", await RawConnection.AskAsync(api, $"GET /healthz HTTP/1.1\r\n{many}X:"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_never_ends_the_head_is_cut_off_and_others_are_served_meanwhile()
    {
        await using var api = await ApiUnderTest.StartAsync(true, ("Api:HeadTimeout", "00:00:01"));
        var slow = new List<RawConnection>();
        for (int n = 0; n < 20; n++)
        {
            slow.Add(await RawConnection.OpenAsync(api));
            await slow[^1].SendAsync("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
        }
        Assert.Equal(System.Net.HttpStatusCode.OK, (await api.PostAsync("/v1/search", new { text = "x" })).Status);
        foreach (var connection in slow)
        {
            Assert.StartsWith("HTTP/1.1 408", await connection.ReadToEndAsync(), StringComparison.Ordinal); // ends when the server closes
            connection.Dispose();
        }
    }

    [Fact]
    public async Task Who_sends_the_body_too_slowly_is_cut_off()
    {
        await using var api = await ApiUnderTest.StartAsync(true, ("Api:MinBodyRate", "1000000"));
        using var connection = await RawConnection.OpenAsync(api);
        await connection.SendAsync("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n[");
        string answer = await connection.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Equal(0, await api.Log.EndOffsetAsync(Topics.Interactions, 0, ApiUnderTest.Token));
    }

    [Fact]
    public async Task Problems_are_problem_details_whatever_the_client_accepts()
    {
        await using var api = await ApiUnderTest.StartAsync();
        foreach (string accept in new[] { "text/html", "image/png", "*/*" })
        {
            string answer = await RawConnection.AskAsync(api, $"GET /v1/nothing HTTP/1.1\r\nAccept: {accept}\r\nX: y");
            Assert.Contains("application/problem+json", answer, StringComparison.Ordinal);
            Assert.Contains("urn:beeformer:problem:not_found", answer, StringComparison.Ordinal);
        }
        Assert.Contains("method_not_allowed", await RawConnection.AskAsync(api, "PATCH /v1/events"), StringComparison.Ordinal);
        Assert.Equal("unsupported_content", (await api.SendAsync(HttpMethod.Post, "/v1/search", "{}", "text/plain")).Body.GetProperty("code").GetString());
    }
}
