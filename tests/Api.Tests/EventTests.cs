using System.Net;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class EventTests
{
    private const string Purchase = """{"user_id":"u1","item_id":"i1","type":"purchase","timestamp":1700000000000}""";

    [Theory]
    [InlineData("[" + Purchase + "]", "application/json")]
    [InlineData("{\"events\":[" + Purchase + "]}", "application/json")]
    [InlineData(Purchase + "\n\n", "application/x-ndjson")]
    public async Task Accepted_events_are_in_the_log_when_the_answer_comes(string body, string contentType)
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, answer) = await api.SendAsync(HttpMethod.Post, "/v1/events", body, contentType);
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.Equal(1, answer.GetProperty("accepted").GetInt32());
        Assert.Equal(1, await api.Log.EndOffsetAsync(Topics.Interactions, 0, ApiUnderTest.Token));
        Assert.Equal(api.Pairs.Identity!.Version.Value, answer.GetProperty("model_version").GetString());
        Assert.Equal(64, answer.GetProperty("fingerprint").GetString()!.Length);
        Assert.Equal(1, answer.GetProperty("index_generation").GetInt64());
    }

    [Fact]
    public async Task Each_event_gets_its_own_verdict()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, answer) = await api.SendAsync(HttpMethod.Post, "/v1/events", "[" + Purchase + """,{"user_id":"u1","type":"view"},7]""");
        Assert.Equal(HttpStatusCode.Accepted, status);
        var verdicts = answer.GetProperty("verdicts").EnumerateArray().ToList();
        Assert.Equal(["accepted", "refused", "refused"], verdicts.Select(verdict => verdict.GetProperty("status").GetString()));
        Assert.Equal("missing_field", verdicts[1].GetProperty("reason").GetString());
        Assert.Contains("item_id", verdicts[1].GetProperty("message").GetString());
        Assert.Equal(2, answer.GetProperty("refused").GetInt32());
        Assert.Equal(1, await api.Log.EndOffsetAsync(Topics.Interactions, 0, ApiUnderTest.Token));
    }

    [Theory]
    [InlineData("[]", HttpStatusCode.BadRequest)]
    [InlineData("{}", HttpStatusCode.BadRequest)]
    [InlineData("[{]", HttpStatusCode.BadRequest)]
    [InlineData("""{"\ud800":1}""", HttpStatusCode.BadRequest)]
    [InlineData("[7]", HttpStatusCode.UnprocessableEntity)]
    public async Task Body_without_an_acceptable_event_is_a_problem(string body, HttpStatusCode expected)
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, problem) = await api.SendAsync(HttpMethod.Post, "/v1/events", body);
        Assert.Equal(expected, status);
        Assert.False(string.IsNullOrEmpty(problem.GetProperty("detail").GetString()));
        Assert.True(problem.TryGetProperty("model_version", out _));
    }

    [Fact]
    public async Task Batch_and_body_limits_hold()
    {
        await using var api = await ApiUnderTest.StartAsync(true, ("Api:MaxBatch", "2"), ("Api:MaxBodyBytes", "2048"));
        var (tooMany, _) = await api.SendAsync(HttpMethod.Post, "/v1/events", $"[{Purchase},{Purchase},{Purchase}]");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooMany);
        var (tooLong, problem) = await api.SendAsync(HttpMethod.Post, "/v1/events", $"[{Purchase}{new string(' ', 4096)}]");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooLong);
        Assert.Contains("Api:MaxBodyBytes", problem.GetProperty("detail").GetString());
        Assert.Equal(0, await api.Log.EndOffsetAsync(Topics.Interactions, 0, ApiUnderTest.Token));
    }

    [Fact]
    public async Task Forgetting_a_user_writes_a_tombstone()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, _) = await api.SendAsync(HttpMethod.Delete, "/v1/users/a%2Fb%20c");
        Assert.Equal(HttpStatusCode.Accepted, status);
        var message = (await api.Log.Subscribe(Topics.Interactions, "test", _ => 0).ReadAsync(1, ApiUnderTest.Token))[0];
        Assert.Equal("a/b c"u8.ToArray(), message.Key);
        Assert.Null(message.Value);
    }

    [Fact]
    public async Task Training_and_activation_become_control_messages()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, answer) = await api.PostAsync("/v1/trainings", new { tempo = "encoder" });
        Assert.Equal(HttpStatusCode.Accepted, status);
        var message = Assert.IsType<TrainEncoder>(await api.ReceivedAsync());
        Assert.Equal((answer.GetProperty("training_id").GetGuid(), TrainingTempo.Encoder), (message.TrainingId, message.Tempo));
        Assert.Equal(HttpStatusCode.BadRequest, (await api.PostAsync("/v1/trainings", new { tempo = "soon" })).Status);
    }

    [Fact]
    public async Task A_model_whose_vectors_are_broken_is_not_activated()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var broken = api.Models.Live!.Value;
        var live = (await api.ServeAsync('b')).Version;
        api.BrokenModel = broken;
        var (status, answer) = await api.PostAsync($"/v1/models/{broken}/activate", new { });
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Contains("not finite", answer.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(live, api.Models.Live);
    }

    [Fact]
    public async Task Activation_moves_live_back()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var first = api.Models.Live!.Value;
        var second = await api.ServeAsync('b');
        var (status, answer) = await api.PostAsync($"/v1/models/{first}/activate", new { });
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.Equal(first, api.Models.Live);
        Assert.Equal(second.Version.Value, answer.GetProperty("before").GetString());
        Assert.Equal(first, Assert.IsType<EncoderPublished>(await api.ReceivedAsync()).Version);
        Assert.Equal(HttpStatusCode.NotFound, (await api.PostAsync("/v1/models/nothing/activate", new { })).Status);

        var (_, models) = await api.SendAsync(HttpMethod.Get, "/v1/models");
        Assert.Equal(first.Value, models.GetProperty("live").GetString());
        Assert.Equal(2, models.GetProperty("models").GetArrayLength());
    }
}
