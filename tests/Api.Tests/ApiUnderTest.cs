using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.InMemory;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.VectorIndex;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>The Api on a port of its own, over parts in memory. There is no Indexer: a test puts into the index what it wants found.</summary>
internal sealed class ApiUnderTest : IAsyncDisposable
{
    private readonly WebApplication _app;

    public MemoryEventLog Log { get; }
    public IVectorIndex Index { get; }
    public MemoryModelStore Models { get; }
    private readonly string _trainings = Directory.CreateTempSubdirectory("api-trainings-").FullName;
    public FolderTrainingRecords Trainings { get; }
    public MemoryProfiles Profiles { get; } = new();
    /// <summary>Embeds everything as NaN.</summary>
    public ModelVersion? BrokenModel { get; set; }
    /// <summary>Called before a model is loaded: to fail, to wait.</summary>
    public Action<ModelManifest> OnLoad { get; set; } = _ => { };
    public HttpClient Client { get; private set; } = new();
    public ServingPairs Pairs => _app.Services.GetRequiredService<ServingPairs>();
    public IServiceProvider Services => _app.Services;
    public HiddenItems Hidden => _app.Services.GetRequiredService<HiddenItems>();

    /// <summary>Lets the Api look at the alias at once.</summary>
    public void WakePairs() => _app.Services.GetRequiredKeyedService<WakeSignal>(ApiHosting.Switched).Wake();

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    private ApiUnderTest(MemoryEventLog log, IVectorIndex index, MemoryModelStore models, IEnumerable<(string Key, string Value)> settings)
    {
        (Log, Index, Models) = (log, index, models);
        Trainings = new FolderTrainingRecords(_trainings);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Configuration.AddInMemoryCollection([new("Api:CheckInterval", "00:00:00.020")]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Services.AddSingleton<IEventLog>(Log).AddSingleton(Index).AddSingleton<IModelStore>(Models).AddSingleton<IProfiles>(Profiles).AddSingleton<ITrainingRecords>(Trainings);
        builder.Services.AddSingleton<LoadQueryEmbedder>(version =>
        {
            using ModelInUse model = Models.Use(version);
            ModelManifest manifest = model.Manifest;
            OnLoad(manifest);
            return new Embedder(manifest, broken: manifest.Version == BrokenModel);
        });
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddApiConsumers();
            bus.AddConsumer<Received>();
            bus.UsingInMemory((context, configuration) => configuration.ConfigureEndpoints(context));
        });
        builder.Services.AddSingleton<Inbox>();
        builder.AddApi();
        _app = builder.Build();
        _app.MapApi();
    }

    public static Task<ApiUnderTest> StartAsync(bool serving = true, params (string, string)[] settings) => StartOnAsync(new MemoryVectorIndex(), serving, settings);

    public static async Task<ApiUnderTest> StartOnAsync(IVectorIndex index, bool serving = true, params (string, string)[] settings)
    {
        var api = new ApiUnderTest(new MemoryEventLog(), index, new MemoryModelStore(), settings);
        if (serving) await api.ServeAsync('a');
        return await StartedAsync(api, serving);
    }

    /// <summary>On a store that has models already; nothing serves yet.</summary>
    public static Task<ApiUnderTest> StartOnAsync(IVectorIndex index, MemoryModelStore models, params (string, string)[] settings) => StartedAsync(new ApiUnderTest(new MemoryEventLog(), index, models, settings), serving: false);

    /// <summary>Another instance on the same log, index and models.</summary>
    public Task<ApiUnderTest> StartAnotherAsync(bool serving = true) => StartedAsync(new ApiUnderTest(Log, Index, Models, []), serving);

    private static async Task<ApiUnderTest> StartedAsync(ApiUnderTest api, bool serving)
    {
        await api._app.StartAsync(Token);
        api.Client = new HttpClient { BaseAddress = new Uri(api._app.Urls.Single()) };
        if (serving) await UntilAsync(async () => (await api.Client.GetAsync("/readyz", Token)).StatusCode == HttpStatusCode.OK);
        return api;
    }

    /// <summary>Publishes a model and points the alias at a collection of its own that holds what the one before did.</summary>
    public async Task<ModelManifest> ServeAsync(char letter)
    {
        var before = await Index.ResolveAliasAsync("items", Token);
        var model = Models.GoLive(letter);
        var collection = new CollectionInfo($"items-{model.Model.Fingerprint.Short}", FakeModel.Dimension, model.Model.Fingerprint, model.Version);
        if (await Index.FindAsync(collection.Name, Token) is null) await Index.CreateAsync(collection, Token);
        if (before is not null)
            foreach (var item in await Index.ScrollAsync(before.Collection, ItemFilter.None, null, 10_000, Token))
                await Index.UpsertAsync(collection.Name, [item with { Vector = FakeModel.Embed(model.Model.Fingerprint, item.Title) }], Token);
        await Index.PointAliasAsync("items", collection.Name, Token);
        return model;
    }

    /// <summary>What the Indexer would have done by now.</summary>
    public async Task IndexAsync(string id, string title, long revision = 0, bool available = true, string? department = null, object? attributes = null)
    {
        var alias = (await Index.ResolveAliasAsync("items", Token))!;
        var collection = (await Index.FindAsync(alias.Collection, Token))!;
        var values = attributes is null ? [] : JsonSerializer.SerializeToElement(attributes).EnumerateObject().ToDictionary(attribute => attribute.Name, attribute => attribute.Value);
        if (department is not null) values["department"] = JsonSerializer.SerializeToElement(department);
        await Index.UpsertAsync(collection.Name, [new IndexedItem(new ItemId(id), revision, FakeModel.Embed(collection.Fingerprint, title), title, available, values)], Token);
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, object body) => await ReadAsync(await Client.PostAsJsonAsync(path, body, Token));

    public async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(HttpMethod method, string path, string? body = null, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, contentType);
        return await ReadAsync(await Client.SendAsync(request, Token));
    }

    public static IReadOnlyList<string> Ids(JsonElement answer) => [.. answer.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("item_id").GetString()!)];

    public async Task<object> ReceivedAsync() => await Services.GetRequiredService<Inbox>().First.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);

    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, Token);
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (!await holds()) await pause.WaitForNextTickAsync(either.Token);
    }

    private static async Task<(HttpStatusCode, JsonElement)> ReadAsync(HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync(Token);
        return (response.StatusCode, text.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(text));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        Directory.Delete(_trainings, recursive: true);
    }

    private sealed class Embedder(ModelManifest manifest, bool broken) : IQueryEmbedder
    {
        public Fingerprint Fingerprint => manifest.Model.Fingerprint;
        public float[] EmbedQuery(string text) => broken ? [.. FakeModel.Embed(Fingerprint, text).Select(_ => float.NaN)] : FakeModel.Embed(Fingerprint, text);
        public void Dispose() { }
    }

    internal sealed class Inbox
    {
        public TaskCompletionSource<object> First { get; } = new();
    }

    internal sealed class Received(Inbox inbox) : IConsumer<TrainEncoder>, IConsumer<CancelTraining>, IConsumer<EncoderPublished>, IConsumer<EncoderRejected>
    {
        public Task Consume(ConsumeContext<EncoderRejected> context) { inbox.First.TrySetResult(context.Message); return Task.CompletedTask; }
        public Task Consume(ConsumeContext<CancelTraining> context) { inbox.First.TrySetResult(context.Message); return Task.CompletedTask; }
        public Task Consume(ConsumeContext<TrainEncoder> context) { inbox.First.TrySetResult(context.Message); return Task.CompletedTask; }
        public Task Consume(ConsumeContext<EncoderPublished> context) { inbox.First.TrySetResult(context.Message); return Task.CompletedTask; }
    }
}
