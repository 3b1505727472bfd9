using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.FakeQdrant;
using BeeFormer.Streaming.VectorIndex.Qdrant;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>What the index does when the server, or the way to it, does not.</summary>
public sealed class QdrantFaultsTests : IAsyncLifetime
{
    private static readonly CollectionInfo Items = new("items-aaaaaaaa", 3, new Fingerprint(new string('a', 64)), new ModelVersion("000001-aaaaaaaa"));
    private static readonly CollectionInfo Other = new("items-bbbbbbbb", 3, new Fingerprint(new string('b', 64)), new ModelVersion("000002-bbbbbbbb"));
    private readonly ImpatientClock clock = new();
    private FakeQdrantServer server = null!;
    private QdrantVectorIndex index = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static IndexedItem AnItem(string id, long revision = 1) => new(new ItemId(id), revision, [1, 0, 0], "a title", true, new Dictionary<string, System.Text.Json.JsonElement>());

    public async ValueTask InitializeAsync()
    {
        server = await FakeQdrantServer.StartAsync();
        index = QdrantFixture.Index(server, clock);
        await index.CreateAsync(Items, Token);
    }

    public async ValueTask DisposeAsync()
    {
        index.Dispose();
        await server.DisposeAsync();
    }

    private async Task<IReadOnlyList<(ItemId, long)>> RevisionsAsync() => await index.RevisionsAsync(Items.Name, null, 100, Token);

    private async Task<IOException> FailsAsync(Func<Task> call)
    {
        var failure = await Assert.ThrowsAsync<IOException>(call);
        Assert.Contains(server.Endpoint.ToString().TrimEnd('/'), failure.Message, StringComparison.Ordinal);
        return failure;
    }

    [Theory]
    [InlineData(StatusCode.Unavailable, 3, 7)]
    [InlineData(StatusCode.DeadlineExceeded, 3, 7)]
    [InlineData(StatusCode.Aborted, 3, 7)]
    [InlineData(StatusCode.Cancelled, 3, 7)]
    [InlineData(StatusCode.Internal, 3, 1)]
    [InlineData(StatusCode.ResourceExhausted, 1, 1)]
    [InlineData(StatusCode.InvalidArgument, 1, 1)]
    [InlineData(StatusCode.AlreadyExists, 1, 1)]
    [InlineData(StatusCode.PermissionDenied, 1, 1)]
    [InlineData(StatusCode.Unauthenticated, 1, 1)]
    [InlineData(StatusCode.FailedPrecondition, 1, 1)]
    [InlineData(StatusCode.OutOfRange, 1, 1)]
    [InlineData(StatusCode.Unimplemented, 1, 1)]
    [InlineData(StatusCode.Unknown, 1, 1)]
    [InlineData(StatusCode.DataLoss, 1, 1)]
    public async Task Attempts_are_as_many_as_the_status_is_worth(StatusCode status, int reads, int writes)
    {
        server.Inject(new Fault { Method = "Points/Count", Status = status });
        server.Inject(new Fault { Method = "Points/Upsert", Status = status });
        var read = await FailsAsync(async () => await index.CountAsync(Items.Name, ItemFilter.None, Token));
        var write = await FailsAsync(async () => await index.UpsertAsync(Items.Name, [AnItem("a")], Token));
        Assert.Equal((reads, writes), (server.Attempts("Points/Count"), server.Attempts("Points/Upsert")));
        Assert.Contains($"Points/Count: {status}", read.Message, StringComparison.Ordinal);
        Assert.Contains($"Points/Upsert: {status}", write.Message, StringComparison.Ordinal);
        Assert.Equal(1, server.Attempts("Qdrant/HealthCheck"));
    }

    [Fact]
    public async Task A_collection_that_has_gone_is_no_failure_of_the_server()
    {
        await index.CountAsync(Items.Name, ItemFilter.None, Token);
        using var elsewhere = QdrantFixture.Index(server);
        await elsewhere.DropAsync(Items.Name, Token);
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await index.CountAsync(Items.Name, ItemFilter.None, Token));
        Assert.Equal(2, server.Attempts("Points/Count"));
        await elsewhere.CreateAsync(Items with { Fingerprint = Other.Fingerprint }, Token);
        await Assert.ThrowsAsync<FingerprintMismatchException>(async () => await index.SearchAsync(Items.Name, new QueryVector(Items.Fingerprint, new float[] { 1, 0, 0 }), 1, ItemFilter.None, Token));
    }

    [Fact]
    public async Task Whoever_is_told_when_to_come_again_comes_then()
    {
        server.Inject(new Fault { Method = "Points/Upsert", Status = StatusCode.ResourceExhausted, RetryAfterSeconds = 30, Times = 2 });
        server.Inject(new Fault { Method = "Points/Count", Status = StatusCode.ResourceExhausted, RetryAfterSeconds = 7, Times = 1 });
        await index.UpsertAsync(Items.Name, [AnItem("a")], Token);
        Assert.Equal(1, await index.CountAsync(Items.Name, ItemFilter.None, Token));
        Assert.Equal([30, 30, 7], clock.Waits.Select(wait => wait.TotalSeconds));
        server.Inject(new Fault { Method = "Points/Get", Status = StatusCode.ResourceExhausted, RetryAfterSeconds = 3600 });
        await FailsAsync(async () => await index.FetchAsync(Items.Name, [new("a")], Token));
        Assert.Equal(1, server.Attempts("Points/Get"));
    }

    [Fact]
    public async Task A_server_that_is_down_for_a_minute_is_named_and_used_again()
    {
        await index.UpsertAsync(Items.Name, [AnItem("before")], Token);
        await server.DownAsync();
        var start = clock.GetUtcNow();
        int refusals = 0;
        for (; clock.GetUtcNow() - start < TimeSpan.FromMinutes(1); refusals++)
        {
            var failure = await FailsAsync(async () => await index.UpsertAsync(Items.Name, [AnItem("meanwhile", 2)], Token));
            Assert.Contains("Points/Upsert: Unavailable", failure.Message, StringComparison.Ordinal);
        }
        Assert.InRange(refusals, 2, 60);
        await FailsAsync(async () => await index.SearchAsync(Items.Name, new QueryVector(Items.Fingerprint, new float[] { 1, 0, 0 }), 1, ItemFilter.None, Token));
        await server.UpAsync();
        await index.UpsertAsync(Items.Name, [AnItem("meanwhile", 2)], Token);
        Assert.Equal(2, await index.CountAsync(Items.Name, ItemFilter.None, Token));
    }

    [Fact]
    public async Task A_server_that_is_back_soon_is_waited_for()
    {
        await index.FindAsync(Items.Name, Token);
        await server.DownAsync();
        clock.OnWait = async number => { if (number == 3) await server.UpAsync(); };
        await index.UpsertAsync(Items.Name, [AnItem("a")], Token);
        Assert.Equal(1, await index.CountAsync(Items.Name, ItemFilter.None, Token));
    }

    [Fact]
    public async Task A_server_that_is_away_at_first_is_asked_for_its_version_later()
    {
        await server.DownAsync();
        using var early = QdrantFixture.Index(server, clock);
        Assert.Contains("Qdrant/HealthCheck", (await FailsAsync(async () => await early.ListAsync(Token))).Message, StringComparison.Ordinal);
        await server.UpAsync();
        Assert.Equal([Items], await early.ListAsync(Token));
    }

    [Fact]
    public async Task A_server_that_would_overwrite_the_new_by_the_old_is_refused()
    {
        await using var old = await FakeQdrantServer.StartAsync(new() { Version = new(1, 15, 3) });
        using var early = QdrantFixture.Index(old, clock);
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(async () => await early.CreateAsync(Items, Token));
        Assert.Contains(old.Endpoint.ToString(), refusal.Message, StringComparison.Ordinal);
        Assert.Contains("is version 1.15.3; expected 1.15.4 or newer", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["Qdrant/HealthCheck"], old.Calls.Select(call => call.Method));
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up_at_the_deadline()
    {
        using var hasty = QdrantFixture.Index(server, clock, options => (options.ReadTimeout, options.WriteTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
        server.Inject(new Fault { Method = "Points/Count", Delay = TimeSpan.FromHours(1) });
        server.Inject(new Fault { Method = "Points/Upsert", Delay = TimeSpan.FromHours(1) });
        Assert.Contains("DeadlineExceeded", (await FailsAsync(async () => await hasty.CountAsync(Items.Name, ItemFilter.None, Token))).Message, StringComparison.Ordinal);
        Assert.Contains("DeadlineExceeded", (await FailsAsync(async () => await hasty.UpsertAsync(Items.Name, [AnItem("a")], Token))).Message, StringComparison.Ordinal);
        await QdrantFixture.UntilAsync(() => server.Attempts("Points/Upsert") >= 7); // the last may still be on its way
        Assert.Equal((3, 7), (server.Attempts("Points/Count"), server.Attempts("Points/Upsert")));
        Assert.All(server.Calls, call => Assert.True(call.Headers.ContainsKey("grpc-timeout"), $"{call.Method} has no deadline"));
    }

    [Fact]
    public async Task A_write_that_the_server_has_not_applied_in_time_is_not_done()
    {
        server.Inject(new Fault { Method = "Points/Upsert", WaitTimesOut = true, Times = 2 });
        await index.UpsertAsync(Items.Name, [AnItem("a")], Token);
        Assert.Equal(3, server.Attempts("Points/Upsert"));
        server.Inject(new Fault { Method = "Points/Upsert", WaitTimesOut = true });
        Assert.Contains("WaitTimeout", (await FailsAsync(async () => await index.UpsertAsync(Items.Name, [AnItem("b")], Token))).Message, StringComparison.Ordinal);
        Assert.Equal(10, server.Attempts("Points/Upsert"));
    }

    [Fact]
    public async Task Who_gives_up_is_not_kept()
    {
        using var gone = new CancellationTokenSource();
        var fault = server.Inject(new Fault { Method = "Points/Count", Delay = TimeSpan.FromHours(1) });
        var count = index.CountAsync(Items.Name, ItemFilter.None, gone.Token).AsTask();
        await QdrantFixture.UntilAsync(() => fault.Met == 1);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => count);
        Assert.Equal(1, server.Attempts("Points/Count"));
    }

    [Fact]
    public async Task A_connection_that_is_cut_in_the_middle_of_a_write_costs_nothing()
    {
        var time = new FakeTimeProvider();
        using var cut = QdrantFixture.Index(server, time);
        var fault = server.Inject(new Fault { Method = "Points/Upsert", Delay = TimeSpan.FromHours(1), Times = 1 });
        var upsert = cut.UpsertAsync(Items.Name, [AnItem("a")], Token).AsTask();
        await QdrantFixture.UntilAsync(() => fault.Met == 1);
        await server.DownAsync();
        await server.UpAsync();
        await QdrantFixture.UntilAsync(() => { time.Advance(TimeSpan.FromSeconds(1)); return upsert.IsCompleted; });
        await upsert;
        Assert.Equal([(new ItemId("a"), 1)], await RevisionsAsync());
    }

    [Fact]
    public async Task Answers_that_are_lost_change_nothing_of_what_is_done()
    {
        foreach (string method in new[] { "Collections/Create", "Collections/Update", "Collections/UpdateAliases", "Collections/Delete", "Points/CreateFieldIndex", "Points/Upsert", "Points/Delete" })
            server.Inject(new Fault { Method = method, Status = StatusCode.Unavailable, AfterApplying = true, When = EveryOther() });
        await index.CreateAsync(Other, Token);
        await index.UpsertAsync(Items.Name, [AnItem("a", 3), AnItem("b", 3)], Token);
        await index.UpsertAsync(Items.Name, [AnItem("a", 2)], Token);
        await index.DeleteAsync(Items.Name, [(new("b"), 4)], Token);
        await index.SettleAsync(Items.Name, Token);
        Assert.Equal([(new ItemId("a"), 3)], await RevisionsAsync());
        Assert.Equal(1, await index.PointAliasAsync("items", Items.Name, Token));
        Assert.Equal(2, await index.PointAliasAsync("items", Other.Name, Token));
        Assert.Equal(new AliasTarget(Other.Name, 2), await index.ResolveAliasAsync("items", Token));
        await (await index.HoldAsync(Items.Name, Token)).DisposeAsync();
        Assert.True(await index.DropAsync(Items.Name, Token));
        Assert.Equal([Other], await index.ListAsync(Token));

        static Func<RecordedCall, bool> EveryOther()
        {
            int calls = 0;
            return _ => Interlocked.Increment(ref calls) % 2 == 1;
        }
    }

    [Fact]
    public async Task Loads_that_were_acknowledged_and_lost_are_missing_among_the_revisions()
    {
        IndexedItem[] items = [.. Enumerable.Range(0, 600).Select(n => AnItem($"i{n:D3}"))];
        server.Inject(new Fault { Method = "Points/Upsert", LoseWrites = true, Times = 1 });
        await index.LoadAsync(Items.Name, items, Token);
        await index.SettleAsync(Items.Name, Token);
        var held = (await index.RevisionsAsync(Items.Name, null, 1000, Token)).Select(item => item.Id).ToHashSet();
        Assert.InRange(held.Count, 600 - 256, 600 - 88);
        await index.LoadAsync(Items.Name, [.. items.Where(item => !held.Contains(item.Id))], Token);
        await index.SettleAsync(Items.Name, Token);
        Assert.Equal(600, await index.CountAsync(Items.Name, ItemFilter.None, Token));
    }

    [Fact]
    public async Task What_was_not_settled_may_be_lost_with_the_power_and_is_loaded_again()
    {
        server.HoldUnwaitedWrites = true;
        await index.LoadAsync(Items.Name, [AnItem("a")], Token);
        server.DropHeldWrites();
        await index.SettleAsync(Items.Name, Token);
        Assert.Empty(await RevisionsAsync());
        await index.LoadAsync(Items.Name, [AnItem("a")], Token);
        await index.SettleAsync(Items.Name, Token);
        server.DropHeldWrites();
        Assert.Single(await RevisionsAsync());
    }

    [Fact]
    public async Task A_collection_whose_making_was_interrupted_is_nobodys_until_it_is_finished()
    {
        var fault = server.Inject(new Fault { Method = "Points/CreateFieldIndex", Status = StatusCode.PermissionDenied });
        await FailsAsync(async () => await index.CreateAsync(Other, Token));
        Assert.Null(await index.FindAsync(Other.Name, Token));
        server.Heal(fault);
        await index.CreateAsync(Other, Token);
        Assert.Equal(Other, await index.FindAsync(Other.Name, Token));
        await index.CreateAsync(Other, Token);
    }

    [Fact]
    public async Task Answers_are_not_compressed()
    {
        await index.CountAsync(Items.Name, ItemFilter.None, Token);
        Assert.All(server.Calls, call => Assert.DoesNotContain("gzip", call.Headers.GetValueOrDefault("grpc-accept-encoding", ""), StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Payload_indexes_are_made_before_there_are_points()
    {
        using var indexing = QdrantFixture.Index(server, clock, options => options.IndexedAttributes = new() { ["brand"] = AttributeIndex.Keyword, ["odd \"name\""] = AttributeIndex.Float });
        int before = server.Attempts("Points/CreateFieldIndex");
        await indexing.CreateAsync(Other, Token);
        Assert.Equal(5, server.Attempts("Points/CreateFieldIndex") - before);
        var made = server.Calls.Where(call => call.Method == "Points/CreateFieldIndex").Skip(before).Select(call => global::Qdrant.Client.Grpc.CreateFieldIndexCollection.Parser.ParseFrom(call.Request.Span));
        Assert.Equal(["available Bool", "deleted Bool", "rev Integer", "attributes.brand Keyword", "attributes.\"odd %22name%22\" Float"], made.Select(one => $"{one.FieldName} {one.FieldType}"));
    }
}
