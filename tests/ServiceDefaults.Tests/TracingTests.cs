using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using Microsoft.Extensions.DependencyInjection;
using static BeeFormer.Streaming.ServiceDefaults.Tests.Waiting;

namespace BeeFormer.Streaming.ServiceDefaults.Tests;

[Collection(OneHostAtATime.Name)]
public class TracingTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c", Other = "1bf7651916cd43dd8448eb211c80319c";

    [Fact]
    public async Task An_item_is_followed_from_the_request_until_it_is_searchable()
    {
        await using var collector = await Collector.StartAsync();
        await using var pipeline = await StartAsync(collector);

        await PutAsync(pipeline, "/v1/items/chair", Trace, new { title = "wooden chair" });
        await UntilAsync(() => Names(collector, Trace).IsSupersetOf(["PUT /v1/items/{id}", "append items", "land items", "index items"]));

        var request = Assert.Single(collector.Spans, span => span.Trace == Trace && span.Name == "PUT /v1/items/{id}");
        var append = Assert.Single(collector.Spans, span => span.Trace == Trace && span.Name == "append items");
        var index = Assert.Single(collector.Spans, span => span.Trace == Trace && span.Name == "index items");
        Assert.Equal(request.Id, append.Parent);
        Assert.Equal(append.Id, index.Parent);
        Assert.Contains("searchable", index.Events);
        Assert.Equal(append.Id, Assert.Single(collector.Spans, span => span.Trace == Trace && span.Name == "land items").Parent);
    }

    [Fact]
    public async Task A_batch_belongs_to_its_first_trace_and_is_linked_to_the_others()
    {
        await using var collector = await Collector.StartAsync();
        await using var pipeline = await StartAsync(collector, ("Ingest:SegmentAge", "1.00:00:00"), ("Ingest:SegmentEvents", "3"));

        foreach (string trace in new[] { Trace, Other, Trace })
            await PostAsync(pipeline, "/v1/events", trace, new[] { new { user_id = "ann", item_id = "1", type = "view" } });
        await UntilAsync(() => Names(collector, Trace).Contains("land interactions"));

        var landed = Assert.Single(collector.Spans, span => span.Name == "land interactions");
        Assert.Equal(Trace, landed.Trace);
        Assert.Contains(Other, landed.Links);
    }

    [Fact]
    public async Task A_training_belongs_to_the_request_that_asked_for_it()
    {
        await using var collector = await Collector.StartAsync();
        await using var pipeline = await StartAsync(collector);

        await PostAsync(pipeline, "/v1/trainings", Trace, new { tempo = "head" });
        await UntilAsync(() => Names(collector, Trace).Contains("train"));

        var training = Assert.Single(collector.Spans, span => span.Trace == Trace && span.Name == "train");
        Assert.Equal(("head", "manual", "skipped"), (training.Attributes["beeformer.tempo"], training.Attributes["beeformer.reason"], training.Attributes["beeformer.verdict"]));
    }

    [Fact]
    public async Task A_model_is_followed_from_its_activation_until_it_serves()
    {
        await using var collector = await Collector.StartAsync();
        // So seldom that it is the messages that wake.
        await using var pipeline = await StartAsync(collector, ("Indexer:CheckInterval", "00:01:00"), ("Api:CheckInterval", "00:01:00"));

        await PostAsync(pipeline, $"/v1/models/{pipeline.PublishAnother()}/activate", Trace, new { });
        await UntilAsync(() => Names(collector, Trace).IsSupersetOf(["build collection", "serve pair"]));
    }

    [Fact]
    public async Task Spans_name_no_user()
    {
        await using var collector = await Collector.StartAsync();
        await using var pipeline = await StartAsync(collector);

        await SendAsync(pipeline, HttpMethod.Delete, "/v1/users/ann-of-the-hill?why=because-ann-asked", Trace, null);
        await UntilAsync(() => Names(collector, Trace).Contains("DELETE /v1/users/{id}"));

        Assert.DoesNotContain(collector.Spans.SelectMany(span => span.Attributes.Values), value => value.Contains("ann-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_and_logs_go_to_the_collector_too()
    {
        await using var collector = await Collector.StartAsync();
        await using var pipeline = await StartAsync(collector);
        await UntilAsync(() => collector.Paths.Contains("/v1/metrics"));
        await UntilAsync(() => collector.Paths.Contains("/v1/logs"));
    }

    [Fact]
    public async Task A_collector_that_refuses_costs_its_spans_and_nothing_else()
    {
        await using var collector = await Collector.StartAsync();
        collector.Refusing = true;
        await using var pipeline = await StartAsync(collector);
        await PutAsync(pipeline, "/v1/items/chair", Trace, new { title = "wooden chair" });
        await UntilAsync(() => collector.Refused > 0);

        collector.Refusing = false;
        await PutAsync(pipeline, "/v1/items/table", Other, new { title = "green table" });
        await UntilAsync(() => Names(collector, Other).Contains("index items"));
    }

    [Fact]
    public async Task Without_a_collector_nothing_is_traced_and_messages_stay_as_they_are()
    {
        await using var pipeline = await PipelineUnderTest.StartAsync();
        await PutAsync(pipeline, "/v1/items/chair", Trace[..^1] + "d", new { title = "wooden chair" }, sampled: false);

        var log = pipeline.Services.GetRequiredService<IEventLog>();
        await using var subscription = log.Subscribe(Topics.Items, "test", _ => 0);
        Assert.Null((await subscription.ReadAsync(1, Token))[0].Headers);
    }

    [Theory]
    [InlineData("OpenTelemetry:Endpoint", "collector:4317")]
    [InlineData("OpenTelemetry:Protocol", "udp")]
    [InlineData("OpenTelemetry:SampledShare", "2")]
    [InlineData("OpenTelemetry:EndPoints", "http://collector:4317")]
    public async Task A_wrong_setting_stops_the_start(string key, string value)
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => PipelineUnderTest.StartAsync((key, value)));
        Assert.Contains(key.Split(':')[1], refused.Message, StringComparison.Ordinal);
    }

    private static Task<PipelineUnderTest> StartAsync(Collector collector, params (string, string)[] settings) =>
        PipelineUnderTest.StartAsync([("OpenTelemetry:Endpoint", collector.Url), ("OpenTelemetry:Protocol", "http/protobuf"), .. settings]);

    private static HashSet<string> Names(Collector collector, string trace) => [.. collector.Spans.Where(span => span.Trace == trace).Select(span => span.Name)];

    private static Task PutAsync(PipelineUnderTest pipeline, string path, string trace, object body, bool sampled = true) => SendAsync(pipeline, HttpMethod.Put, path, trace, body, sampled);

    private static Task PostAsync(PipelineUnderTest pipeline, string path, string trace, object body) => SendAsync(pipeline, HttpMethod.Post, path, trace, body);

    private static async Task SendAsync(PipelineUnderTest pipeline, HttpMethod method, string path, string trace, object? body, bool sampled = true)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("traceparent", $"00-{trace}-b7ad6b7169203331-{(sampled ? "01" : "00")}");
        if (body is not null) request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var client = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null }) { BaseAddress = pipeline.Client.BaseAddress };
        using var response = await client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }
}
