using System.Net;
using BeeFormer.Streaming.Contracts;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class DuplicateEventTests
{
    [Fact]
    public async Task A_repeated_event_id_is_named_within_a_request_and_across_requests()
    {
        await using var api = await ApiUnderTest.StartAsync();
        static object Event(string? id) => new { event_id = id, user_id = "u", item_id = "i", type = "view", timestamp = 1_700_000_000_000 };
        var (_, first) = await api.PostAsync("/v1/events", new[] { Event("a"), Event("b"), Event("a"), Event(null), Event(null) });
        Assert.Equal((4, 1, 0), Counts(first));
        Assert.Equal("duplicate", first.GetProperty("verdicts")[2].GetProperty("status").GetString());
        var (status, second) = await api.PostAsync("/v1/events", new[] { Event("b"), Event("a") });
        Assert.Equal((HttpStatusCode.Accepted, (0, 2, 0)), (status, Counts(second)));
        Assert.Equal(4, await api.Log.EndOffsetAsync(Topics.Interactions, 0, ApiUnderTest.Token));
    }

    [Fact]
    public async Task What_was_not_durable_is_no_duplicate_when_it_is_sent_again()
    {
        await using var api = await ApiUnderTest.StartAsync();
        object[] events = [new { event_id = "a", user_id = "u", item_id = "i", type = "view", timestamp = 1_700_000_000_000 }];
        api.Log.Unreachable = true;
        using var response = await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(api.Client, "/v1/events", events, ApiUnderTest.Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.True(response.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        Assert.Contains("\"unavailable\"", await response.Content.ReadAsStringAsync(ApiUnderTest.Token), StringComparison.Ordinal);
        foreach (var (method, path, body) in new[] { (HttpMethod.Put, "/v1/items/i", """{"title":"t"}"""), (HttpMethod.Delete, "/v1/items/i", null), (HttpMethod.Delete, "/v1/users/u", null) })
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.SendAsync(method, path, body)).Status);
        api.Log.Unreachable = false;
        Assert.Equal((1, 0, 0), Counts((await api.PostAsync("/v1/events", events)).Body));
        Assert.Equal((0, 1, 0), Counts((await api.PostAsync("/v1/events", events)).Body));
    }

    [Property]
    public void The_newest_ids_are_remembered_and_no_more(byte capacity, byte[] ids)
    {
        var recent = new RecentEvents(capacity);
        foreach (byte id in ids) recent.Add([$"{id}"]);
        var distinct = new List<byte>(); // in order of arrival; one that is known stays where it is
        foreach (byte id in ids)
        {
            if (distinct.Contains(id)) continue;
            distinct.Add(id);
            if (distinct.Count > capacity) distinct.RemoveAt(0);
        }
        for (int id = 0; id < 256; id++) Assert.Equal(distinct.Contains((byte)id), recent.Contains($"{id}"));
    }

    private static (int, int, int) Counts(System.Text.Json.JsonElement answer) =>
        (answer.GetProperty("accepted").GetInt32(), answer.GetProperty("duplicate").GetInt32(), answer.GetProperty("refused").GetInt32());
}
