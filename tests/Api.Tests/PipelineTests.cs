using System.Net;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>The state of the pipeline as anybody can ask for it.</summary>
public sealed class PipelineTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stages_tell_totals_and_what_waits()
    {
        await using var api = await ApiUnderTest.StartAsync();
        await api.IndexAsync("i1", "red kettle");
        await api.Log.AppendAsync(Topics.Interactions, [.. Enumerable.Range(0, 7).Select(n => new LogRecord([(byte)n], []))], Token);
        await api.Log.AppendAsync(Topics.Items, [new LogRecord([1], []), new LogRecord([2], [])], Token);
        await CommitAsync(api, Topics.Interactions, ReaderGroups.Ingest, 4);
        await CommitAsync(api, Topics.Items, ReaderGroups.Ingest, 2);
        await CommitAsync(api, Topics.Items, ReaderGroups.Indexer, 1);

        JsonElement pipeline = await LookAsync(api);
        Assert.Equal([("interactions", 7), ("items", 2), ("dead-letters", 0)], pipeline.GetProperty("log").EnumerateArray().Select(topic => (topic.GetProperty("topic").GetString()!, topic.GetProperty("appended").GetInt32())));
        Assert.Equal((6, 3), (Number(pipeline, "ingest", "done"), Number(pipeline, "ingest", "lag")));
        Assert.Equal((1, 1), (Number(pipeline, "indexer", "done"), Number(pipeline, "indexer", "lag")));
        Assert.Equal(1, Number(pipeline, "index", "items"));
        Assert.Equal(api.Models.Live!.Value.Value, pipeline.GetProperty("trainer").GetProperty("live").GetString());
        Assert.Equal(pipeline.GetProperty("index").GetProperty("collection").GetString(), pipeline.GetProperty("index").GetProperty("collections")[0].GetProperty("name").GetString());
        Assert.Equal(JsonValueKind.Null, pipeline.GetProperty("ingest").GetProperty("per_second").ValueKind); // one look is no rate
        Assert.Empty(pipeline.GetProperty("unreachable").EnumerateArray());
        Assert.Equal(1, pipeline.GetProperty("index_generation").GetInt32());
    }

    [Fact]
    public async Task Requests_are_counted_and_timed_by_endpoint_failures_apart()
    {
        await using var api = await ApiUnderTest.StartAsync();
        for (int n = 0; n < 3; n++) await api.SendAsync(HttpMethod.Get, "/v1/items/nothing/similar");
        await api.SendAsync(HttpMethod.Get, "/v1/nothing");
        JsonElement pipeline = await LookAsync(api);
        JsonElement route = Assert.Single(pipeline.GetProperty("api").GetProperty("routes").EnumerateArray());
        Assert.Equal("GET /v1/items/{id}/similar", route.GetProperty("route").GetString());
        Assert.True(route.GetProperty("p50_ms").GetDouble() > 0);
        Assert.True(pipeline.GetProperty("api").GetProperty("per_second").GetDouble() > 0);
        Assert.Equal(0, pipeline.GetProperty("api").GetProperty("failed_per_second").GetDouble());
    }

    [Fact]
    public async Task What_is_being_trained_and_built_is_heard_from_those_who_do_it()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var training = new TrainingRecord(Guid.NewGuid(), "head", "manual", TrainingState.Running, DateTimeOffset.UnixEpoch);
        api.Trainings.Save(training);
        var bus = api.Services.GetRequiredService<IBus>();
        var next = new ModelVersion("000009-99999999");
        await bus.Publish(new TrainingProgressed(training.Id, "train", 0.25, 0.5, 10, 30), Token);
        await bus.Publish(new ReindexProgressed(next, "items-99999999", 3, 12), Token);

        var news = api.Services.GetRequiredService<PipelineNews>();
        await ApiUnderTest.UntilAsync(() => Task.FromResult(news is { Training: not null, Reindex: not null }));
        JsonElement pipeline = await LookAsync(api);
        JsonElement current = pipeline.GetProperty("trainer").GetProperty("current");
        Assert.Equal((training.Id.ToString(), "train", 0.25, 30), (current.GetProperty("training_id").GetString(), current.GetProperty("phase").GetString(), current.GetProperty("fraction").GetDouble(), current.GetProperty("eta_seconds").GetDouble()));
        Assert.Equal((3, 12), (pipeline.GetProperty("indexer").GetProperty("reindex").GetProperty("done").GetInt32(), pipeline.GetProperty("indexer").GetProperty("reindex").GetProperty("total").GetInt32()));

        api.Trainings.Save(training with { State = TrainingState.Refused });
        await bus.Publish(new IndexSwitched(next, new Fingerprint(new string('9', 64)), "items-99999999", 2), Token);
        await ApiUnderTest.UntilAsync(async () => await LookAsync(api) is var later && later.GetProperty("trainer").GetProperty("current").ValueKind == JsonValueKind.Null
            && later.GetProperty("indexer").GetProperty("reindex").ValueKind == JsonValueKind.Null);
    }

    [Fact]
    public async Task An_item_event_is_timed_until_the_indexer_has_committed_behind_it()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var freshness = api.Services.GetRequiredService<ItemFreshness>();
        await freshness.Watching.WaitAsync(Token);
        await api.Log.AppendAsync(Topics.Items, [new LogRecord([1], [])], Token);
        Assert.Equal(0, freshness.Read().Measured);
        await CommitAsync(api, Topics.Items, ReaderGroups.Indexer, 1);
        await ApiUnderTest.UntilAsync(() => Task.FromResult(freshness.Read() is { Measured: 1, P50Seconds: > 0 }));
    }

    [Fact]
    public async Task A_part_that_cannot_be_asked_is_named_and_the_others_are_told()
    {
        await using var api = await ApiUnderTest.StartAsync();
        using var watch = Watch(api, AskedIndex.Of((_, _) => throw new IOException("broken on purpose")));
        var pipeline = await watch.LookAsync(Token);
        Assert.Null(pipeline.Index);
        Assert.Equal("The index cannot be read: broken on purpose", Assert.Single(pipeline.Unreachable));
        Assert.Equal(3, pipeline.Log!.Count);
        Assert.NotNull(pipeline.Indexer);
    }

    [Fact]
    public async Task A_part_that_never_answers_is_given_up()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var watch = Watch(api, AskedIndex.Of(async (_, token) =>
        {
            clock.Advance(TimeSpan.FromSeconds(5));
            await new TaskCompletionSource().Task.WaitAsync(token);
        }), clock);
        var pipeline = await watch.LookAsync(Token);
        Assert.Equal("The index did not answer within 5 s.", Assert.Single(pipeline.Unreachable));
    }

    [Fact]
    public async Task However_many_ask_the_parts_are_asked_once_a_second()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        int asked = 0;
        using var watch = Watch(api, AskedIndex.Of((method, _) => { if (method == "ListAsync") asked++; return Task.CompletedTask; }), clock);
        var looks = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => watch.LookAsync(Token)));
        Assert.Equal(1, asked);
        Assert.Single(looks.Distinct());

        await api.Log.AppendAsync(Topics.Interactions, [.. Enumerable.Range(0, 8).Select(n => new LogRecord([(byte)n], []))], Token);
        clock.Advance(TimeSpan.FromSeconds(2));
        var later = await watch.LookAsync(Token);
        Assert.Equal(2, asked);
        Assert.Equal(4, later.Log![0].PerSecond); // eight in two seconds
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Null((await watch.LookAsync(Token)).Log![0].PerSecond); // nobody has looked for longer than a minute
    }

    private static PipelineWatch Watch(ApiUnderTest api, IVectorIndex index, TimeProvider? clock = null) =>
        ActivatorUtilities.CreateInstance<PipelineWatch>(api.Services, index, clock ?? TimeProvider.System);

    [Fact]
    public async Task Without_the_dashboard_there_is_nothing_at_the_root()
    {
        await using var with = await ApiUnderTest.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await with.Client.GetAsync("/", Token)).StatusCode);
        await using var without = await ApiUnderTest.StartAsync(settings: ("Api:Dashboard", "false"));
        Assert.Equal(HttpStatusCode.NotFound, (await without.Client.GetAsync("/", Token)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await without.Client.GetAsync("/dashboard/app.js", Token)).StatusCode);
    }

    private static async Task CommitAsync(ApiUnderTest api, string topic, string group, long next)
    {
        await using var subscription = api.Log.Subscribe(topic, group, _ => 0);
        await subscription.CommitAsync(0, next, Token);
    }

    private static async Task<JsonElement> LookAsync(ApiUnderTest api)
    {
        var (status, body) = await api.SendAsync(HttpMethod.Get, "/v1/pipeline");
        Assert.Equal(HttpStatusCode.OK, status);
        return body;
    }

    private static int Number(JsonElement pipeline, string stage, string field) => pipeline.GetProperty(stage).GetProperty(field).GetInt32();
}
