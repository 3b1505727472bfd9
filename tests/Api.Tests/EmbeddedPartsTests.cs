using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Indexer;
using BeeFormer.Streaming.Ingest;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>From request to answer through everything that a shop's traffic meets: Api, log, Ingest, Indexer, stores, index and a real encoder.</summary>
public sealed class EmbeddedPartsTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("api-parts-").FullName;

    private static CancellationToken Token => ApiUnderTest.Token;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task What_is_put_is_found_what_is_hidden_is_gone_and_who_is_forgotten_is_unknown()
    {
        await using var app = await StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        string[] titles = ["wooden chair", "green chair", "blue printer", "silver printer", "quiet river"];
        for (int n = 0; n < titles.Length; n++) Assert.Equal(HttpStatusCode.Accepted, (await client.PutAsJsonAsync($"/v1/items/i{n}", new { title = titles[n] }, Token)).StatusCode);
        await ApiUnderTest.UntilAsync(async () => (await client.GetAsync("/readyz", Token)).IsSuccessStatusCode);

        await ApiUnderTest.UntilAsync(async () => (await FoundAsync(client, "blue printer")).Count == titles.Length);
        Assert.Equal("i2", (await FoundAsync(client, "blue printer"))[0]);

        Assert.Equal(HttpStatusCode.Accepted, (await client.PutAsJsonAsync("/v1/items/i2", new { title = titles[2], available = false }, Token)).StatusCode);
        Assert.DoesNotContain("i2", await FoundAsync(client, "blue printer")); // at once, before the index knows

        Assert.Equal("popular", (await RecommendAsync(client)).Fallback);
        var events = new[] { "i0", "i3" }.Select(item => new { user_id = "u", item_id = item, type = "purchase" });
        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsJsonAsync("/v1/events", events, Token)).StatusCode);
        await ApiUnderTest.UntilAsync(async () => await RecommendAsync(client) is { Fallback: null, Items: [_, _] });
        Assert.Equal(["i1", "i4"], (await RecommendAsync(client)).Items.Order()); // neither what was bought nor what is hidden

        var windows = app.Services.GetRequiredService<IWindowStore>();
        await ApiUnderTest.UntilAsync(() => Task.FromResult(windows.Describe().Interactions == 2));
        Assert.Equal(HttpStatusCode.Accepted, (await client.DeleteAsync("/v1/users/u", Token)).StatusCode);
        await ApiUnderTest.UntilAsync(async () => (await RecommendAsync(client)).Fallback == "popular");
        await ApiUnderTest.UntilAsync(() => Task.FromResult(windows.Describe().Interactions == 0));
        await app.StopAsync(Token);
    }

    private static async Task<IReadOnlyList<string>> FoundAsync(HttpClient client, string text)
    {
        using var response = await client.PostAsJsonAsync("/v1/search", new { text }, Token);
        return response.IsSuccessStatusCode ? ApiUnderTest.Ids(await response.Content.ReadFromJsonAsync<JsonElement>(Token)) : [];
    }

    private static async Task<(IReadOnlyList<string> Items, string? Fallback)> RecommendAsync(HttpClient client)
    {
        using var response = await client.PostAsJsonAsync("/v1/recommendations", new { user_id = "u" }, Token);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Token);
        return (ApiUnderTest.Ids(answer), answer.TryGetProperty("fallback", out var fallback) ? fallback.GetString() : null);
    }

    private async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Configuration.AddInMemoryCollection([new("Api:CheckInterval", "00:00:00.020"), new("Indexer:CheckInterval", "00:00:00.020"), new("Ingest:SegmentAge", "00:00:00.020")]);
        builder.Services.AddEmbeddedEventLog(Path.Combine(_data, "log"));
        builder.Services.AddEmbeddedProfiles(Path.Combine(_data, "profiles"));
        builder.Services.AddWindowStore(Path.Combine(_data, "windows"));
        builder.Services.AddModelStore(builder.Configuration, Path.Combine(_data, "models"));
        builder.Services.AddEmbeddedVectorIndex(Path.Combine(_data, "index"));
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddIndexerConsumers();
            bus.AddApiConsumers();
            bus.UsingInMemory((context, configuration) => configuration.ConfigureEndpoints(context));
        });
        builder.AddIngest();
        builder.AddIndexer();
        builder.AddApi();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.MapApi();
        PublishTinyEncoder(app.Services.GetRequiredService<IModelStore>());
        await app.StartAsync(Token);
        return app;
    }

    private static void PublishTinyEncoder(IModelStore models)
    {
        using SentenceEncoder encoder = SentenceEncoder.Load(Path.Combine(RepositoryRoot(), "tests", "golden", "encoder", "tiny-bert", "model"), 32);
        using var model = new EmbeddingModel(encoder, head: null, new ItemText(), cache: null);
        var draft = new ModelDraft(model.Fingerprint, model.Dimension, null, null, new Dictionary<int, long>(), [], [], "test");
        Assert.True(models.TryMoveLive(null, models.Publish(draft, model.Save).Version));
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "BeeFormer.Streaming.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
