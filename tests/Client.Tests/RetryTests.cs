using static BeeFormer.Streaming.Client.Tests.ScriptedServer;

namespace BeeFormer.Streaming.Client.Tests;

/// <summary>How often a call is sent, and when: attempts are counted, time is the test's.</summary>
public sealed class RetryTests
{
    private const string Nothing = """{"items": []}""", Taken = """{"accepted": 1, "duplicate": 0, "refused": 0, "verdicts": [{"index": 0, "status": "accepted"}]}""";
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Each call, and whether it may be repeated.</summary>
    public static TheoryData<string, bool> Calls => new()
    {
        { "recommend", true }, { "recommend batch", true }, { "similar", true }, { "search", true }, { "search batch", true }, { "score", true }, { "embed", true }, { "put", true }, { "put many", true }, { "delete", true },
        { "events", true }, { "forget", true }, { "erasure", true }, { "models", true }, { "model", true }, { "trainings", true }, { "training", true }, { "activate", false }, { "train", false }, { "cancel", false },
    };

    private static Task CallAsync(string call, BeeFormerClient client) => call switch
    {
        "recommend" => client.RecommendAsync(new RecommendationRequest { UserId = "u" }, Token),
        "recommend batch" => client.RecommendAsync([new RecommendationRequest { UserId = "u" }], Token),
        "similar" => client.SimilarAsync("i", null, Token),
        "search" => client.SearchAsync(new SearchRequest { Text = "t" }, Token),
        "search batch" => client.SearchAsync([new SearchRequest { Text = "t" }], Token),
        "score" => client.ScoreAsync(new ScoreRequest { UserId = "u", Candidates = ["i"] }, Token),
        "embed" => client.EmbedUserAsync("u", Token),
        "put" => client.PutItemAsync(new Item { ItemId = "i", Title = "t" }, Token),
        "put many" => client.PutItemsAsync([new Item { ItemId = "i", Title = "t" }], Token),
        "delete" => client.DeleteItemAsync("i", Token),
        "events" => client.SendEventsAsync([new Interaction { UserId = "u", ItemId = "i", Type = "view" }], Token),
        "forget" => client.ForgetUserAsync("u", Token),
        "erasure" => client.FindErasureAsync("u", Token),
        "models" => client.ListModelsAsync(Token),
        "model" => client.ShowModelAsync("v", Token),
        "trainings" => client.ListTrainingsAsync(Token),
        "training" => client.ShowTrainingAsync(Guid.Empty, Token),
        "activate" => client.ActivateModelAsync("v", Token),
        "train" => client.StartTrainingAsync(null, Token),
        "cancel" => client.CancelTrainingAsync(Guid.Empty, Token),
        _ => throw new ArgumentOutOfRangeException(nameof(call), call, null),
    };

    [Theory, MemberData(nameof(Calls))]
    public async Task What_is_safe_is_sent_five_times_and_the_rest_once(string call, bool safe)
    {
        var server = new ScriptedServer(Says("""{"code": "unavailable", "detail": "The log cannot be reached."}""", 503));
        using var client = server.Client();
        var problem = await Assert.ThrowsAsync<ProblemException>(() => server.PassAsync(Result(CallAsync(call, client))));
        Assert.Equal((503, "unavailable", "The log cannot be reached."), (problem.Status, problem.Code, problem.Message));
        Assert.Equal(safe ? 5 : 1, server.Requests.Count);
        Assert.Single(server.Requests.Select(request => (request.Method, request.Target, request.Body)).Distinct()); // every attempt is the same, ids of events included
    }

    [Theory]
    [InlineData(400, 1), InlineData(401, 1), InlineData(403, 1), InlineData(404, 1), InlineData(410, 1), InlineData(413, 1), InlineData(422, 1), InlineData(500, 1), InlineData(302, 1)]
    [InlineData(408, 2), InlineData(429, 2), InlineData(502, 2), InlineData(503, 2), InlineData(504, 2)]
    public async Task Only_what_may_pass_is_repeated(int status, int attempts)
    {
        var server = new ScriptedServer(Says("", status), Says(Nothing));
        using var client = server.Client();
        var call = server.PassAsync(client.RecommendAsync(new RecommendationRequest { UserId = "u" }, Token));
        if (attempts == 1) Assert.Equal((status, $"status_{status}", false), await Assert.ThrowsAsync<ProblemException>(() => call) is var problem ? (problem.Status, problem.Code, problem.Transient) : default);
        else Assert.Empty((await call).Items);
        Assert.Equal(attempts, server.Requests.Count);
    }

    [Fact]
    public async Task The_server_is_left_alone_for_as_long_as_it_asks()
    {
        var server = new ScriptedServer(Says("", 429, "7"), Says("", 503, "Sat, 31 Jan 2026 12:00:20 GMT"), Says(Nothing));
        using var client = server.Client();
        await server.PassAsync(client.SearchAsync(new SearchRequest { Text = "t" }, Token));
        Assert.Equal(3, server.Requests.Count);
        Assert.True(server.Requests[1].At - server.Requests[0].At >= TimeSpan.FromSeconds(7));
        Assert.True(server.Requests[2].At >= new DateTimeOffset(2026, 1, 31, 12, 0, 20, TimeSpan.Zero));
    }

    [Fact]
    public async Task Who_is_told_to_wait_for_longer_than_there_is_time_learns_it_at_once()
    {
        var server = new ScriptedServer(Says("""{"code": "rate_limited", "detail": "Too many requests."}""", 429, "60"));
        using var client = server.Client();
        var problem = await Assert.ThrowsAsync<ProblemException>(() => client.RecommendAsync(new RecommendationRequest { UserId = "u" }, Token)); // no time passes
        Assert.Equal(("rate_limited", TimeSpan.FromMinutes(1), true), (problem.Code, problem.RetryAfter, problem.Transient));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_tried_again()
    {
        var server = new ScriptedServer(Throws(new HttpRequestException("refused")), Throws(new IOException("cut")), Throws(new TaskCanceledException("the client's own limit", new TimeoutException())), Says(Nothing));
        using var client = server.Client();
        await server.PassAsync(client.RecommendAsync(new RecommendationRequest { UserId = "u" }, Token));
        Assert.Equal(4, server.Requests.Count);
    }

    [Fact]
    public async Task An_event_keeps_its_id_and_its_time_in_every_attempt()
    {
        var server = new ScriptedServer(Says("", 503), Throws(new HttpRequestException("cut")), Says(Taken, 202));
        using var client = server.Client();
        var result = await server.PassAsync(client.SendEventsAsync([new Interaction { UserId = "u", ItemId = "i", Type = "view" }], Token));
        Assert.Equal(1, result.Accepted);
        Assert.Equal(3, server.Requests.Count);
        string body = Assert.Single(server.Requests.Select(request => request.Body!).Distinct());
        Assert.Contains("\"event_id\":\"", body, StringComparison.Ordinal);
        Assert.Contains("\"timestamp\":\"2026-01-31T12:00:00", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_answer_of_this_server_is_not_asked_again()
    {
        foreach (string strange in new[] { "<html>", "null", "[]", """{"items": null}""", "{}", """{"items": [{"item_id": 7}]}""" })
        {
            var server = new ScriptedServer(Says(strange));
            using var client = server.Client();
            var failure = await Assert.ThrowsAsync<NoAnswerException>(() => client.RecommendAsync(new RecommendationRequest { UserId = "u" }, Token));
            Assert.False(failure.Transient);
            Assert.Contains("something else than expected", failure.Message, StringComparison.Ordinal);
            Assert.Single(server.Requests);
        }
    }

    [Fact]
    public async Task Cancelling_ends_the_wait_between_attempts()
    {
        var server = new ScriptedServer(Says("", 503, "20"));
        using var client = server.Client();
        using var cancel = new CancellationTokenSource();
        var call = client.RecommendAsync(new RecommendationRequest { UserId = "u" }, cancel.Token);
        Assert.False(call.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task No_retries_means_one_attempt()
    {
        var server = new ScriptedServer(Says("", 503));
        using var client = server.Client(new BeeFormerClientOptions { Server = null!, Retries = 0 });
        await Assert.ThrowsAsync<ProblemException>(() => client.ListModelsAsync(Token));
        Assert.Single(server.Requests);
    }

    private static async Task<bool> Result(Task call)
    {
        await call;
        return true;
    }
}
