namespace BeeFormer.Streaming.Client.Tests;

/// <summary>Every call against the real server.</summary>
[Collection("Live")]
public sealed class LiveTests(LiveFixture live)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>In the index, since a search finds it.</summary>
    private static async Task PutAsync(BeeFormerClient client, params Item[] items)
    {
        var result = await client.PutItemsAsync(items, Token);
        Assert.Equal((items.Length, 0), (result.Accepted, result.Refused));
        await Patiently.UntilAsync(async () => (await client.EmbedItemsAsync([.. items.Select(item => item.ItemId)], Token)).List.All(one => one.Vector is not null), () => "The items should be in the index");
    }

    [Fact]
    public async Task Items_are_found_ranked_scored_and_embedded()
    {
        using var client = live.Server.Client();
        await PutAsync(client,
            new Item { ItemId = "rank/1", Title = "Gas stove, two burners", Attributes = new Dictionary<string, AttributeValue> { ["group"] = "ranked", ["price"] = 49.9, ["released"] = "2024-05-01T00:00:00Z", ["tags"] = new[] { "gas" } } },
            new Item { ItemId = "rank/2", Title = "Camping stove for wood", Attributes = new Dictionary<string, AttributeValue> { ["group"] = "ranked", ["price"] = 20, ["new"] = true } },
            new Item { ItemId = "rank/3", Title = "Novel about the sea", Attributes = new Dictionary<string, AttributeValue> { ["group"] = "ranked", ["price"] = 10 } });
        var ranked = Filter.Equal("group", "ranked");
        var stove = await client.GetItemAsync("rank/1", Token);
        Assert.Equal(("rank/1", "Gas stove, two burners", 49.9), (stove.ItemId, stove.Title, stove.Attributes["price"].GetDouble()));

        var found = await client.SearchAsync(new SearchRequest { Text = "something to cook on outdoors", Filter = ranked, K = 2 }, Token);
        Assert.Equal(["rank/1", "rank/2"], found.Items.Select(item => item.ItemId).Order(StringComparer.Ordinal));
        Assert.NotNull(found.Cursor);
        var next = await client.SearchAsync(new SearchRequest { Text = "something to cook on outdoors", Filter = ranked, K = 2, Cursor = found.Cursor }, Token);
        Assert.Equal(("rank/3", null), (Assert.Single(next.Items).ItemId, next.Cursor));
        Assert.Equal((64, true), (found.Fingerprint!.Length, found.IndexGeneration >= 1));

        Assert.Equal(["rank/2"], await FoundAsync(Filter.All(ranked, Filter.Equal("new", true))));
        Assert.Equal(["rank/1"], await FoundAsync(Filter.All(ranked, Filter.Equal("tags", "gas", "wood"))));
        Assert.Equal(["rank/2", "rank/3"], await FoundAsync(Filter.All(ranked, Filter.Number("price", atLeast: 10, lessThan: 40))));
        Assert.Equal(["rank/1"], await FoundAsync(Filter.Time("released", after: new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero))));
        Assert.Equal(["rank/1", "rank/3"], await FoundAsync(Filter.All(Filter.Any(Filter.OneOf("rank/1", "rank/2", "rank/3")), Filter.None(Filter.Equal("new", true)))));

        Assert.Equal("rank/2", (await client.SimilarAsync("rank/1", new SimilarRequest { K = 1, Filter = ranked }, Token)).Items[0].ItemId);
        var because = await client.RecommendAsync(new RecommendationRequest { History = ["rank/1"], Explain = true, Filter = ranked, K = 1 }, Token);
        Assert.Equal("rank/1", because.Items[0].Because!.ItemId);
        var parts = because.Items[0].Parts!;
        Assert.Equal(parts.Cosine!.Value + 0.4 * Math.Pow(parts.Popularity!.Value, 0.25) + 0.5 * parts.Own!.Value, because.Items[0].Score, 1e-5);
        var capped = await client.RecommendAsync(new RecommendationRequest { History = ["rank/1"], MaxPer = new Dictionary<string, int> { ["group"] = 1 }, Diversity = 0.5, Exploration = 0.5, Filter = ranked }, Token);
        Assert.Single(capped.Items);
        var batch = await client.RecommendAsync([new RecommendationRequest { History = ["rank/1"] }, new RecommendationRequest { UserId = "u", History = ["rank/1"] }], Token);
        Assert.Equal(["answered", "refused"], batch.Results.Select(one => one.Status));
        Assert.Empty((await client.ListVariantsAsync(Token)).List);
        Assert.Equal("invalid_field", batch.Results[1].Reason);
        Assert.Equal("answered", Assert.Single((await client.SearchAsync([new SearchRequest { Text = "stove" }], Token)).Results).Status);

        var scores = await client.ScoreAsync(new ScoreRequest { History = ["rank/1"], Candidates = ["rank/2", "rank/3", "nothing"] }, Token);
        Assert.Equal(["rank/2", "rank/3"], scores.Items.Select(item => item.ItemId));
        Assert.Equal(new LeftOut("nothing", "unknown"), Assert.Single(scores.LeftOut));
        var vectors = await client.EmbedTextsAsync(["gas stove", "tent"], Token);
        Assert.All(vectors.List, one => Assert.Equal(1.0, one.Vector!.Sum(x => (double)x * x), 1e-3));
        Assert.Equal(("nobody", "unknown", null), (await client.EmbedUserAsync("nobody", Token)).List[0] is var none ? (none.UserId, none.Reason, none.Vector) : default);

        async Task<IReadOnlyList<string>> FoundAsync(Filter filter) =>
            [.. (await client.SearchAsync(new SearchRequest { Text = "anything", Filter = filter }, Token)).Items.Select(item => item.ItemId).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Odd_ids_come_back_unchanged()
    {
        using var client = live.Server.Client();
        foreach (string id in new[] { "..", ".", "a/b", "a%2Fb", "ü ?#&+", "\"<>\\" })
        {
            Assert.Equal((id, "accepted"), await client.PutItemAsync(new Item { ItemId = id, Title = "odd" }, Token) is var put ? (put.ItemId, put.Status) : default);
            Assert.Equal((id, "deleted"), await client.DeleteItemAsync(id, Token) is var deleted ? (deleted.ItemId, deleted.Status) : default);
            Assert.Equal((id, "forgotten"), await client.ForgetUserAsync(id, Token) is var forgotten ? (forgotten.UserId, forgotten.Status) : default);
        }
    }

    [Fact]
    public async Task Refusals_name_the_field()
    {
        using var client = live.Server.Client();
        var problem = await Assert.ThrowsAsync<ProblemException>(() => client.RecommendAsync(new RecommendationRequest { UserId = "u", K = 0 }, Token));
        Assert.Equal((400, "invalid_field", "k", "k is 0; expected 1 to 1000."), (problem.Status, problem.Code, problem.Field, problem.Message));
        Assert.False(string.IsNullOrEmpty(problem.TraceId));
        var nothing = await Assert.ThrowsAsync<ProblemException>(() => client.SendEventsAsync([new Interaction { UserId = "", ItemId = "i", Type = "view" }], Token));
        Assert.Equal((422, "nothing_accepted"), (nothing.Status, nothing.Code));
        Assert.Contains("user_id", Assert.Single(nothing.Verdicts).Message, StringComparison.Ordinal);
        Assert.Equal((404, "not_found"), await Assert.ThrowsAsync<ProblemException>(() => client.SimilarAsync("nothing", null, Token)) is var unknown ? (unknown.Status, unknown.Code) : default);
    }

    [Fact]
    public async Task An_erased_user_can_be_looked_for()
    {
        using var client = live.Server.Client();
        await client.SendEventsAsync([new Interaction { UserId = "to be forgotten", ItemId = "i", Type = "view" }], Token);
        Assert.False((await client.FindErasureAsync("to be forgotten", Token)).Erased);
        await client.ForgetUserAsync("to be forgotten", Token);
        Erasure? erasure = null;
        await Patiently.UntilAsync(async () => (erasure = await client.FindErasureAsync("to be forgotten", Token)).Erased, () => $"The user should be gone: {erasure?.Verdict}");
        Assert.All(erasure!.Stores, store => Assert.Empty(store.Found));
    }

    [Fact]
    public async Task Models_and_trainings_are_listed_shown_and_asked_for()
    {
        using var client = live.Server.Client();
        var models = await client.ListModelsAsync(Token);
        var details = await client.ShowModelAsync(models.Live!, Token);
        Assert.Equal((models.Live, null, true), (details.Model!.Version, details.Problem, details.Live));
        Assert.NotEmpty(details.Files);
        Assert.Equal(models.Live, details.Lineage[0].Version);
        Assert.Equal(models.Live, (await client.ActivateModelAsync(models.Live!, Token)).Activated);
        Assert.Equal("not_found", (await Assert.ThrowsAsync<ProblemException>(() => client.ActivateModelAsync("000099-00000000", Token))).Code);

        var started = await client.StartTrainingAsync(new TrainingRequest { Tempo = "head" }, Token);
        Training? training = null;
        await Patiently.UntilAsync(async () => (training = await client.ShowTrainingAsync(started.TrainingId, Token)).Ended, () => $"The training should end: {training}");
        Assert.Contains((await client.ListTrainingsAsync(Token)).List, one => one.TrainingId == started.TrainingId);
        Assert.Equal("conflict", (await Assert.ThrowsAsync<ProblemException>(() => client.CancelTrainingAsync(started.TrainingId, Token))).Code);
    }

    [Fact]
    public async Task A_connection_cut_after_the_server_took_the_events_doubles_none()
    {
        await using var proxy = new CuttingProxy(live.Server.Address, cuts: 2);
        using var client = new BeeFormerClient(new BeeFormerClientOptions { Server = proxy.Address, AttemptTimeout = TimeSpan.FromMinutes(2), Timeout = TimeSpan.FromMinutes(5) });
        var result = await client.SendEventsAsync([.. Enumerable.Range(0, 5).Select(n => new Interaction { UserId = $"cut{n}", ItemId = "i", Type = "view" })], Token);
        Assert.Equal((0, 5, 0), (result.Accepted, result.Duplicate, result.Refused)); // the first attempt, of which nothing was heard, had them all
    }
}

/// <summary>Kills the server while events flow, and counts what it has in the end.</summary>
public sealed class KillTests
{
    private const int Events = 400;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_batcher_outlives_the_server_and_every_event_counts_once()
    {
        await using var server = new LiveServer();
        await server.StartAsync();
        await using (var proxy = new CuttingProxy(server.Address, cuts: 2))
        using (var client = new BeeFormerClient(new BeeFormerClientOptions { Server = proxy.Address }))
        await using (var events = new EventBatcher(client, new EventBatcherOptions { BatchSize = 20, Capacity = 100, MaxRetryDelay = TimeSpan.FromMilliseconds(500), DisposeTimeout = TimeSpan.FromMinutes(5) }))
        {
            for (int n = 0; n < Events / 2; n++) await events.AddAsync(Event(n), Token);
            await server.KillAsync(); // with up to 100 events not yet accepted, and some of which only the server knows
            var adding = Task.Run(async () =>
            {
                for (int n = Events / 2; n < Events; n++) await events.AddAsync(Event(n), Token);
            }, Token);
            await server.StartAsync();
            await adding;
            await events.FlushAsync(Token);
        }
        int count = 0;
        await Patiently.UntilAsync(async () => (count = await server.CountAsync()) >= Events, () => $"{Events} events should land; {count} did");
        Assert.Equal(Events, count);
    }

    private static Interaction Event(int n) => new() { UserId = $"u{n % 7}", ItemId = $"i{n}", Type = "view" };
}
