using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class CompressedBodyTests
{
    private const string Purchase = """{"user_id":"u1","item_id":"i1","type":"purchase","timestamp":1700000000000}""";

    [Theory]
    [InlineData("gzip", "application/x-ndjson", "/v1/events", Purchase + "\n" + Purchase, Topics.Interactions)]
    [InlineData("br", "application/json", "/v1/events", "[" + Purchase + "," + Purchase + "]", Topics.Interactions)]
    [InlineData("gzip", "application/json", "/v1/items", """[{"item_id":"a","title":"A"},{"item_id":"b","title":"B"}]""", Topics.Items)]
    [InlineData("identity", "application/json", "/v1/items", """[{"item_id":"a","title":"A"},{"item_id":"b","title":"B"}]""", Topics.Items)]
    public async Task Compressed_batches_are_taken(string encoding, string contentType, string path, string body, string topic)
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, answer) = await SendAsync(api, path, encoding, Compressed(encoding, Encoding.UTF8.GetBytes(body)), contentType);
        Assert.Equal((HttpStatusCode.Accepted, 2), (status, answer.GetProperty("accepted").GetInt32()));
        Assert.Equal(2, await api.Log.EndOffsetAsync(topic, 0, ApiUnderTest.Token));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task Limit_holds_for_what_comes_out(string encoding)
    {
        await using var api = await ApiUnderTest.StartAsync(true, ("Api:MaxBodyBytes", "100000"));
        byte[] bomb = Compressed(encoding, new byte[50_000_000]);
        Assert.True(bomb.Length < 100_000);
        var (status, problem) = await SendAsync(api, "/v1/events", encoding, bomb, "application/json");
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "too_large"), (status, problem.GetProperty("code").GetString()));
        Assert.Equal(0, await api.Log.EndOffsetAsync(Topics.Interactions, 0, ApiUnderTest.Token));
    }

    [Theory]
    [InlineData("gzip", "/v1/events")]
    [InlineData("br", "/v1/events")]
    [InlineData("gzip", "/v1/search")]
    [InlineData("br", "/v1/items")]
    public async Task Damaged_data_is_a_bad_request(string encoding, string path)
    {
        await using var api = await ApiUnderTest.StartAsync();
        byte[] whole = Compressed(encoding, Encoding.UTF8.GetBytes("[" + string.Join(',', Enumerable.Range(0, 500).Select(n => Purchase + new string(' ', n % 7))) + "]"));
        byte[] changed = [.. whole];
        for (int n = 20; n < 40; n++) changed[n] ^= 0x5a;
        foreach (byte[] body in new[] { whole[..(whole.Length / 2)], changed, Encoding.UTF8.GetBytes("not compressed at all"), [] })
        {
            var (status, problem) = await SendAsync(api, path, encoding, body, "application/json");
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.DoesNotContain("   at ", problem.GetRawText(), StringComparison.Ordinal);
        }
        Assert.Equal(0, await api.Log.EndOffsetAsync(Topics.Interactions, 0, ApiUnderTest.Token));
    }

    [Theory]
    [InlineData("deflate")]
    [InlineData("zstd")]
    [InlineData("gzip, gzip")]
    public async Task Other_encodings_are_refused(string encoding)
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, problem) = await SendAsync(api, "/v1/events", encoding, [1, 2, 3], "application/json");
        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "unsupported_content"), (status, problem.GetProperty("code").GetString()));
        Assert.Contains("expected gzip, br or none", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static byte[] Compressed(string encoding, byte[] body)
    {
        using var buffer = new MemoryStream();
        using (Stream stream = encoding switch { "gzip" => new GZipStream(buffer, CompressionLevel.Optimal), "br" => new BrotliStream(buffer, CompressionLevel.Fastest), _ => buffer }) stream.Write(body);
        return buffer.ToArray();
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(ApiUnderTest api, string path, string encoding, byte[] body, string contentType)
    {
        using var content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(contentType) } };
        content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        using var response = await api.Client.PostAsync(path, content, ApiUnderTest.Token);
        return (response.StatusCode, JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync(ApiUnderTest.Token)));
    }
}
