namespace BeeFormer.Streaming.Client.Tests;

/// <summary>Faults of real connections.</summary>
public sealed class FaultTests
{
    private static readonly RecommendationRequest Request = new() { UserId = "u" };
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static BeeFormerClient ClientOf(Shop shop, TimeSpan? attempt = null, TimeSpan? whole = null, int retries = 4) => new(new BeeFormerClientOptions
    {
        Server = shop.Address,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        AttemptTimeout = attempt ?? TimeSpan.FromMinutes(2),
        Timeout = whole ?? TimeSpan.FromMinutes(5),
        Retries = retries,
    });

    [Fact]
    public async Task A_server_that_is_down_is_tried_until_it_is_up()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.StopAsync();
        using var client = ClientOf(shop, retries: 2);
        var failure = await Assert.ThrowsAsync<NoAnswerException>(() => client.RecommendAsync(Request, Token));
        Assert.True(failure.Transient);
        Assert.Contains("POST /v1/recommendations", failure.Message, StringComparison.Ordinal);
        await shop.StartAsync();
        Assert.Equal("000001-aaaaaaaa", (await client.RecommendAsync(Request, Token)).ModelVersion);
        Assert.Equal(1, shop.Requests);
    }

    [Fact]
    public async Task An_attempt_that_takes_too_long_gives_way_to_the_next()
    {
        await using var shop = await Shop.OpenAsync();
        shop.Hang().Hang();
        using var client = ClientOf(shop, attempt: TimeSpan.FromSeconds(2), retries: 100);
        Assert.Empty((await client.RecommendAsync(Request, Token)).Items);
        Assert.True(shop.Requests >= 3);
    }

    [Fact]
    public async Task A_call_ends_when_its_whole_time_is_over()
    {
        await using var shop = await Shop.OpenAsync();
        shop.Hang();
        using var client = ClientOf(shop, whole: TimeSpan.FromMilliseconds(300));
        var failure = await Assert.ThrowsAsync<NoAnswerException>(() => client.RecommendAsync(Request, Token));
        Assert.Contains("within 0.3 s", failure.Message, StringComparison.Ordinal);
        Assert.True(shop.Requests <= 1);
    }

    [Fact]
    public async Task An_answer_that_ends_in_its_middle_is_asked_for_again()
    {
        await using var shop = await Shop.OpenAsync();
        shop.CutAnswer().CutAnswer();
        using var client = ClientOf(shop);
        Assert.Empty((await client.RecommendAsync(Request, Token)).Items);
        Assert.Equal(3, shop.Requests);
    }

    [Fact]
    public async Task A_connection_cut_after_the_server_took_the_events_counts_them_once()
    {
        await using var shop = await Shop.OpenAsync();
        shop.CutAfterTaking();
        using var client = ClientOf(shop);
        var result = await client.SendEventsAsync([.. Enumerable.Range(0, 10).Select(n => new Interaction { UserId = $"u{n}", ItemId = "i", Type = "view" })], Token);
        Assert.Equal(10, shop.Distinct.Count);
        Assert.Equal(20, shop.Taken.Count); // all of them came twice
        Assert.All(result.Verdicts, verdict => Assert.Equal("duplicate", verdict.Status));
    }

    [Fact]
    public async Task A_problem_has_its_code_field_wait_and_verdicts()
    {
        await using var shop = await Shop.OpenAsync();
        shop.Refuse(422, """{"type": "urn:x", "title": "t", "status": 422, "code": "nothing_accepted", "detail": "None is.", "field": "events[0].type", "trace_id": "00-1", "new": {}, "verdicts": [{"index": 0, "status": "refused", "reason": "missing_field", "message": "type is missing"}]}""", "3");
        using var client = ClientOf(shop);
        var problem = await Assert.ThrowsAsync<ProblemException>(() => client.SendEventsAsync([new Interaction { UserId = "u", ItemId = "i", Type = "view" }], Token));
        Assert.Equal((422, "nothing_accepted", "None is.", "events[0].type", "00-1", TimeSpan.FromSeconds(3), false),
            (problem.Status, problem.Code, problem.Message, problem.Field, problem.TraceId, problem.RetryAfter!.Value, problem.Transient));
        Assert.Equal(new Verdict(0, "refused", "missing_field", "type is missing"), Assert.Single(problem.Verdicts));
    }
}
