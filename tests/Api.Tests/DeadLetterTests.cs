using System.Net;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>There is no Ingest here: a test writes the letters that it would have written.</summary>
public sealed class DeadLetterTests
{
    private const string View = """{"user_id":"u","item_id":"i","type":"view"}""";

    [Fact]
    public async Task Letters_are_listed_page_by_page()
    {
        await using var api = await WithLettersAsync();
        var (status, answer) = await api.SendAsync(HttpMethod.Get, "/v1/dead-letters?limit=2");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal((3, 3), (answer.GetProperty("total").GetInt32(), answer.GetProperty("matching").GetInt32()));
        Assert.Equal(["interactions/0/0", "interactions/0/1"], Letters(answer));
        Assert.Equal("interactions/0/1", answer.GetProperty("next").GetString());
        (_, answer) = await api.SendAsync(HttpMethod.Get, "/v1/dead-letters?limit=2&after=interactions%2F0%2F1");
        Assert.Equal(["items/0/0"], Letters(answer));
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("next").ValueKind);
        (_, answer) = await api.SendAsync(HttpMethod.Get, "/v1/dead-letters?reason=invalid_json&topic=interactions");
        Assert.Equal(["interactions/0/1"], Letters(answer));
        Assert.Equal((3, 1), (answer.GetProperty("total").GetInt32(), answer.GetProperty("matching").GetInt32()));
    }

    [Fact]
    public async Task A_letter_is_shown_with_key_bytes_and_headers()
    {
        await using var api = await WithLettersAsync();
        var (status, letter) = await api.SendAsync(HttpMethod.Get, "/v1/dead-letters/interactions/0/1");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("invalid_json", letter.GetProperty("reason").GetString());
        Assert.Equal("v"u8.ToArray(), letter.GetProperty("key").GetBytesFromBase64());
        Assert.Equal<byte>([0xFF, 0x00], letter.GetProperty("value").GetBytesFromBase64());
        Assert.Equal("trace", letter.GetProperty("headers")[0].GetProperty("name").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, "/v1/dead-letters/interactions/0/9")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, "/v1/dead-letters/interactions/first/9")).Status);
    }

    [Fact]
    public async Task What_can_be_read_by_now_goes_back_and_the_rest_says_why_not()
    {
        await using var api = await WithLettersAsync();
        var (_, dry) = await api.PostAsync("/v1/dead-letters/replay", new { all = true, dry_run = true });
        Assert.Equal((true, 1, 2), (dry.GetProperty("dry_run").GetBoolean(), dry.GetProperty("replayed").GetInt32(), dry.GetProperty("unreadable").GetInt32()));
        Assert.Equal(2, await api.Log.EndOffsetAsync(Topics.Interactions, 0, ApiUnderTest.Token));

        var (status, answer) = await api.PostAsync("/v1/dead-letters/replay", new { ids = new[] { "interactions/0/0", "interactions/0/1", "interactions/0/77" } });
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal((1, 0, 1, 1), (answer.GetProperty("replayed").GetInt32(), answer.GetProperty("superseded").GetInt32(), answer.GetProperty("unreadable").GetInt32(), answer.GetProperty("unknown").GetInt32()));
        Assert.Equal(["interactions/0/77 unknown", "interactions/0/1 unreadable"], answer.GetProperty("staying").EnumerateArray().Select(one => $"{one.GetProperty("id").GetString()} {one.GetProperty("outcome").GetString()}"));
        Assert.Equal(3, await api.Log.EndOffsetAsync(Topics.Interactions, 0, ApiUnderTest.Token));
        var (_, left) = await api.SendAsync(HttpMethod.Get, "/v1/dead-letters");
        Assert.Equal(["interactions/0/1", "items/0/0"], Letters(left));
    }

    [Theory]
    [InlineData("{}", "ids")]
    [InlineData("""{"all":false}""", "ids")]
    [InlineData("""{"ids":[]}""", "ids")]
    [InlineData("""{"ids":["interactions/0"]}""", "ids[0]")]
    [InlineData("""{"ids":[null]}""", "ids[0]")]
    [InlineData("""{"ids":["interactions/0/-1"]}""", "ids[0]")]
    [InlineData("""{"ids":["interactions/0/0"],"all":true}""", "ids")]
    [InlineData("""{"topic":"items","all":true}""", "all")]
    [InlineData("""{"everything":true}""", "everything")]
    public async Task It_must_be_clear_which_letters_are_meant(string body, string field)
    {
        await using var api = await WithLettersAsync();
        var (status, problem) = await api.SendAsync(HttpMethod.Post, "/v1/dead-letters/replay", body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.Equal(2, await api.Log.EndOffsetAsync(Topics.Interactions, 0, ApiUnderTest.Token));
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("after=here", "after")]
    public async Task Bad_questions_name_the_field(string query, string field)
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, problem) = await api.SendAsync(HttpMethod.Get, "/v1/dead-letters?" + query);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(field, problem.GetProperty("field").GetString());
    }

    private static IEnumerable<string> Letters(JsonElement answer) => answer.GetProperty("letters").EnumerateArray().Select(letter => letter.GetProperty("id").GetString()!);

    /// <summary>One message that can be read by now, and two that cannot.</summary>
    private static async Task<ApiUnderTest> WithLettersAsync()
    {
        var api = await ApiUnderTest.StartAsync();
        (string Topic, string Key, byte[] Value, Rejection Why)[] poison =
        [
            (Topics.Interactions, "u", Encoding.UTF8.GetBytes(View), new Rejection(RejectionReasons.InvalidField, "type: expected something else then")),
            (Topics.Interactions, "v", [0xFF, 0x00], new Rejection(RejectionReasons.InvalidJson, "m")),
            (Topics.Items, "i", "{}"u8.ToArray(), new Rejection(RejectionReasons.MissingField, "item_id is missing")),
        ];
        foreach (var (topic, key, value, why) in poison)
        {
            LogHeader[] headers = [new("trace", new byte[] { 1 })];
            var at = (await api.Log.AppendAsync(topic, [new LogRecord(Encoding.UTF8.GetBytes(key), value, headers)], ApiUnderTest.Token))[0];
            var message = new LogMessage(at.Partition, at.Offset, 1_700_000_000_000, Encoding.UTF8.GetBytes(key), value, headers);
            await api.Log.AppendAsync(Topics.DeadLetters, [DeadLetterJson.Record(DeadLetterJson.Of(topic, message, why))], ApiUnderTest.Token);
        }
        return api;
    }
}
