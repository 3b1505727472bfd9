using static BeeFormer.Streaming.Client.Tests.ScriptedServer;

namespace BeeFormer.Streaming.Client.Tests;

/// <summary>What goes over the wire, to the letter.</summary>
public sealed class RequestTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<Request> SentAsync(string answer, Func<BeeFormerClient, Task> call, string? key = null)
    {
        var server = new ScriptedServer(Says(answer));
        using var client = server.Client(new BeeFormerClientOptions { Server = null!, ApiKey = key });
        await call(client);
        return Assert.Single(server.Requests);
    }

    [Fact]
    public async Task What_is_not_set_is_not_sent()
    {
        var sent = await SentAsync("""{"items": []}""", client => client.RecommendAsync(new RecommendationRequest { UserId = "ann" }, Token));
        Assert.Equal((HttpMethod.Post, "/base/v1/recommendations", """{"user_id":"ann"}""", null), (sent.Method, sent.Target, sent.Body, sent.Authorization));
    }

    [Fact]
    public async Task Variants_are_read_as_the_server_writes_them()
    {
        const string Says = """
            {"from": "2024-05-01T12:00:00+00:00", "at": "2024-05-02T12:00:00+00:00", "instance": "shop/1", "variants": [
              {"name": "a", "share": 0.5, "version": "000002-ec0cb2cc", "ranking": {"Popularity": "0"}, "lists": 2, "impressions": 4, "clicks": 1, "click_through": {"value": 0.25, "low": 0.1, "high": 0.7}, "purchases": 0, "hits": 0, "recall": null}],
             "model_version": "000002-ec0cb2cc", "fingerprint": "ec", "index_generation": 2}
            """;
        Variants? variants = null;
        var sent = await SentAsync(Says, async client => variants = await client.ListVariantsAsync(Token));
        Assert.Equal((HttpMethod.Get, "/base/v1/variants", null), (sent.Method, sent.Target, sent.Body));
        var variant = Assert.Single(variants!.List);
        Assert.Equal(("a", 0.5, "0", 4, 1, new Proportion(0.25, 0.1, 0.7), null), (variant.Name, variant.Share, variant.Ranking["Popularity"], variant.Impressions, variant.Clicks, variant.ClickThrough, variant.Recall));

        Ranking? ranking = null;
        await SentAsync("""{"items": [], "variant": "a"}""", async client => ranking = await client.RecommendAsync(new RecommendationRequest { UserId = "ann" }, Token));
        Assert.Equal("a", ranking!.Variant);
    }

    [Fact]
    public async Task The_key_is_sent_as_bearer()
    {
        var sent = await SentAsync("""{"items": []}""", client => client.SimilarAsync("i", null, Token), "k-1");
        Assert.Equal(("Bearer k-1", "{}"), (sent.Authorization, sent.Body));
    }

    [Fact]
    public async Task A_filter_is_written_as_the_server_reads_it()
    {
        var filter = Filter.All(
            Filter.Equal("brand", "Acme", 5, true), Filter.Number("price", atLeast: 1.5, lessThan: 100), Filter.Time("released", after: new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero)),
            Filter.Any(Filter.OneOf("1", "2"), Filter.None(Filter.Equal("colour", "red"))));
        var sent = await SentAsync("""{"items": []}""", client => client.SearchAsync(new SearchRequest { Text = "t", K = 3, Filter = filter, ExcludeIds = ["9"], Cursor = "c" }, Token));
        Assert.Equal("""{"text":"t","k":3,"filter":{"must":[{"attribute":"brand","any_of":["Acme",5,true]},{"attribute":"price","gte":1.5,"lt":100},{"attribute":"released","after":"2024-01-01T00:00:00+00:00"},{"should":[{"ids":["1","2"]},{"must_not":[{"attribute":"colour","any_of":["red"]}]}]}]},"exclude_ids":["9"],"cursor":"c"}""", sent.Body);
    }

    [Fact]
    public async Task What_a_list_shall_be_is_sent_and_the_parts_of_its_scores_are_read()
    {
        var server = new ScriptedServer(Says("""{"items": [{"item_id": "42", "title": "Gas stove", "score": 0.9, "parts": {"cosine": 0.5, "popularity": 1, "own": -1, "recency": 0.25, "diversity_penalty": 0.1, "exploration": true}}, {"item_id": "43", "title": "Tent", "score": 0.4}]}"""));
        using var client = server.Client(new BeeFormerClientOptions { Server = null! });
        var ranking = await client.RecommendAsync(new RecommendationRequest { UserId = "ann", Diversity = 0.3, MaxPer = new Dictionary<string, int> { ["Brand"] = 2 }, Exploration = 0.1 }, Token);
        Assert.Equal("""{"user_id":"ann","diversity":0.3,"max_per":{"Brand":2},"exploration":0.1}""", Assert.Single(server.Requests).Body);
        Assert.Equal([new ScoreParts(0.5, 1, -1, 0.25, 0.1, true), null], ranking.Items.Select(item => item.Parts));
    }

    [Fact]
    public async Task A_lone_condition_stands_inside_must()
    {
        var sent = await SentAsync("""{"items": []}""", client => client.SimilarAsync("i", new SimilarRequest { Filter = Filter.Equal("must", "x") }, Token));
        Assert.Equal("""{"filter":{"must":[{"attribute":"must","any_of":["x"]}]}}""", sent.Body);
    }

    [Theory]
    [InlineData("a/b", "a%2Fb"), InlineData("a%2Fb", "a%252Fb"), InlineData("..", ".."), InlineData(".", "."), InlineData("ü ?#&", "%C3%BC%20%3F%23%26")]
    public async Task Ids_are_escaped_in_the_path(string id, string escaped) =>
        Assert.Equal($"/base/v1/items/{escaped}/similar", (await SentAsync("""{"items": []}""", client => client.SimilarAsync(id, null, Token))).Target);

    [Fact]
    public async Task An_item_is_sent_whole()
    {
        var sent = await SentAsync("""{"item_id": "42", "status": "accepted"}""", client => client.PutItemAsync(new Item
        {
            ItemId = "42", Title = "Gas stove", Description = "Folds.", ImageUrl = "https://x/1", UpdatedAt = new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.FromHours(2)),
            Attributes = new Dictionary<string, AttributeValue> { ["Price €"] = 49.9, ["tags"] = new[] { "gas", "outdoor" }, ["new"] = false, ["brand"] = "Acme" },
        }, Token));
        Assert.Equal((HttpMethod.Put, "/base/v1/items/42"), (sent.Method, sent.Target));
        Assert.Equal("""{"item_id":"42","title":"Gas stove","description":"Folds.","attributes":{"Price \u20AC":49.9,"tags":["gas","outdoor"],"new":false,"brand":"Acme"},"image_url":"https://x/1","available":true,"updated_at":"2024-01-01T00:00:00+02:00"}""", sent.Body);
    }

    [Fact]
    public async Task An_event_that_has_an_id_and_a_time_keeps_them()
    {
        var sent = await SentAsync("""{"accepted": 1, "duplicate": 0, "refused": 0, "verdicts": []}""", client => client.SendEventsAsync(
            [new Interaction { EventId = "e", UserId = "u", ItemId = "i", Type = "rating", Value = 4.5, Timestamp = DateTimeOffset.UnixEpoch, SessionId = "s" }], Token));
        Assert.Equal("""[{"event_id":"e","user_id":"u","item_id":"i","type":"rating","value":4.5,"timestamp":"1970-01-01T00:00:00+00:00","session_id":"s"}]""", sent.Body);
    }

    [Fact]
    public void Numbers_that_JSON_does_not_have_are_refused_where_they_are_given()
    {
        Assert.Contains("Value is NaN", Assert.Throws<ArgumentOutOfRangeException>(() => new Interaction { UserId = "u", ItemId = "i", Type = "t", Value = double.NaN }).Message, StringComparison.Ordinal);
        Assert.Contains("Diversity is NaN", Assert.Throws<ArgumentOutOfRangeException>(() => new RecommendationRequest { Diversity = double.NaN }).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RecommendationRequest { Exploration = double.PositiveInfinity });
        Assert.Throws<ArgumentOutOfRangeException>(() => AttributeValue.From(double.PositiveInfinity));
        Assert.Throws<ArgumentOutOfRangeException>(() => Filter.Number("price", atMost: double.NaN));
    }

    [Fact]
    public void Options_out_of_range_are_refused_by_name()
    {
        var fine = new BeeFormerClientOptions { Server = new Uri("http://127.0.0.1:1") };
        foreach (var (options, name) in new (BeeFormerClientOptions, string)[]
        {
            (fine with { Server = new Uri("/v1", UriKind.Relative) }, "Server"), (fine with { Server = new Uri("ftp://x") }, "Server"), (fine with { ApiKey = "a b" }, "ApiKey"), (fine with { ApiKey = "" }, "ApiKey"),
            (fine with { Timeout = TimeSpan.Zero }, "Timeout"), (fine with { AttemptTimeout = TimeSpan.FromDays(2) }, "AttemptTimeout"), (fine with { LongTimeout = -TimeSpan.FromSeconds(1) }, "LongTimeout"),
            (fine with { RetryDelay = TimeSpan.Zero }, "RetryDelay"), (fine with { Retries = -1 }, "Retries"), (fine with { Retries = 101 }, "Retries"),
        })
            Assert.StartsWith($"{name} is ", Assert.ThrowsAny<ArgumentException>(() => new BeeFormerClient(options)).Message, StringComparison.Ordinal);
        using var client = new BeeFormerClient(fine);
        foreach (var (options, name) in new (EventBatcherOptions, string)[]
        {
            (new() { BatchSize = 0 }, "BatchSize"), (new() { BatchSize = 10_001 }, "BatchSize"), (new() { Capacity = 0 }, "Capacity"), (new() { MaxAge = TimeSpan.Zero }, "MaxAge"),
            (new() { RetryDelay = TimeSpan.Zero }, "RetryDelay"), (new() { MaxRetryDelay = TimeSpan.Zero }, "MaxRetryDelay"), (new() { DisposeTimeout = TimeSpan.Zero }, "DisposeTimeout"),
        })
            Assert.StartsWith($"{name} is ", Assert.Throws<ArgumentOutOfRangeException>(() => new EventBatcher(client, options)).Message, StringComparison.Ordinal);
    }
}
