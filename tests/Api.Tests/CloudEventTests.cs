using System.Net;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>The three forms of CloudEvents over HTTP; what is inside them is tested where the log's messages are.</summary>
public sealed class CloudEventTests
{
    private const string Purchase = """{"specversion":"1.0","id":"7","source":"/shop","type":"com.shop.purchase","time":"2023-11-14T00:00:00Z","data":{"user_id":"u1","item_id":"i1"}}""";
    private const string Landed = """{"event_id":"/shop/7","user_id":"u1","item_id":"i1","type":"purchase","timestamp":1699920000000}""";

    [Theory]
    [InlineData("application/cloudevents+json", Purchase)]
    [InlineData("application/cloudevents+json; charset=utf-8", Purchase)]
    [InlineData("application/json", Purchase)]
    [InlineData("application/json", "[" + Purchase + "]")]
    [InlineData("application/x-ndjson", Purchase + "\n")]
    [InlineData("application/cloudevents-batch+json", "[" + Purchase + "]")]
    public async Task Structured_events_land_as_plain_ones(string contentType, string body)
    {
        await using var api = await ApiUnderTest.StartAsync();
        using var content = new StringContent(body, Encoding.UTF8);
        content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(contentType);
        Assert.Equal(HttpStatusCode.Accepted, (await api.Client.PostAsync("/v1/events", content, ApiUnderTest.Token)).StatusCode);
        Assert.Equal(Landed, await FirstAsync(api, Topics.Interactions));
    }

    [Theory]
    [InlineData("/v1/events", Topics.Interactions, """{"user_id":"u1","item_id":"i1"}""", """{"event_id":"/shop/ü/7","user_id":"u1","item_id":"i1","type":"purchase","timestamp":1699920000000}""")]
    [InlineData("/v1/items", Topics.Items, """{"item_id":"i1","title":"Tent"}""", """{"item_id":"i1","title":"Tent","available":true,"updated_at":1699920000000}""")]
    public async Task A_binary_event_is_one_with_its_attributes_in_headers(string path, string topic, string body, string landed)
    {
        await using var api = await ApiUnderTest.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in new[] { ("specversion", "1.0"), ("id", "7"), ("source", "\"/sh\\op/%C3%BC\""), ("type", "com.shop.purchase"), ("time", "2023-11-14T00:00:00Z") }) request.Headers.Add("ce-" + name, value);
        Assert.Equal(HttpStatusCode.Accepted, (await api.Client.SendAsync(request, ApiUnderTest.Token)).StatusCode);
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(landed), JsonElement.Parse(await FirstAsync(api, topic))));
    }

    [Theory]
    [InlineData("application/cloudevents-batch+json", "[" + Purchase + """,{"id":"8"}]""", HttpStatusCode.Accepted, "specversion is missing")]
    [InlineData("application/cloudevents+json", "[" + Purchase + "]", HttpStatusCode.UnprocessableEntity, "no JSON object")]
    [InlineData("application/cloudevents+xml", "<event/>", HttpStatusCode.UnsupportedMediaType, "415")]
    [InlineData("application/cloudevents-batch+json", "{}", HttpStatusCode.BadRequest, "an array of events")]
    public async Task What_is_wrong_is_said_event_by_event(string contentType, string body, HttpStatusCode expected, string says)
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, answer) = await api.SendAsync(HttpMethod.Post, "/v1/events", body, contentType);
        Assert.Equal(expected, status);
        Assert.Contains(says, answer.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_item_that_would_be_too_long_in_the_log_is_refused_at_once()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var attributes = Enumerable.Range(0, 60).ToDictionary(n => $"a{n}", _ => new string('\u007F', 8_000)); // one byte here, six in the log
        byte[] body = Encoding.UTF8.GetBytes("{\"title\":\"T\",\"attributes\":{" + string.Join(',', attributes.Select(pair => $"\"{pair.Key}\":\"{pair.Value}\"")) + "}}");
        Assert.True(body.Length < 512 * 1024);
        var (status, problem) = await api.SendAsync(HttpMethod.Post, "/v1/items", "[" + Encoding.UTF8.GetString(body).Insert(1, "\"item_id\":\"i\",") + "]");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("when it is written to the log", problem.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(0, await api.Log.EndOffsetAsync(Topics.Items, 0, ApiUnderTest.Token));
    }

    private static async Task<string> FirstAsync(ApiUnderTest api, string topic)
    {
        await using var subscription = api.Log.Subscribe(topic, "test", _ => 0);
        return Encoding.UTF8.GetString((await subscription.ReadAsync(1, ApiUnderTest.Token))[0].Value!.Value.Span);
    }
}
