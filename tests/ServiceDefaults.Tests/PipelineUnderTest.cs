using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Indexer;
using BeeFormer.Streaming.Ingest;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.Trainer;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace BeeFormer.Streaming.ServiceDefaults.Tests;

/// <summary>All services over embedded parts and a tiny encoder.</summary>
internal sealed class PipelineUnderTest : IAsyncDisposable
{
    private static readonly string s_encoder = Repository.PathOf("tests", "golden", "encoder", "tiny-bert", "model");

    private readonly string _data = Directory.CreateTempSubdirectory("telemetry-").FullName;
    private readonly WebApplication _app;

    public HttpClient Client { get; private set; } = new();
    public IServiceProvider Services => _app.Services;

    private PipelineUnderTest(IEnumerable<(string Key, string Value)> settings)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Configuration.AddInMemoryCollection(
        [
            new("Api:CheckInterval", "00:00:00.020"), new("Indexer:CheckInterval", "00:00:00.020"), new("Ingest:SegmentAge", "00:00:00.020"), new("Trainer:EveryInteractions", "0"), new("Trainer:Every", "00:00:00"),
            new("Encoder:Path", s_encoder), new("Encoder:MaxSequenceLength", "32"),
            new("OTEL_BSP_SCHEDULE_DELAY", "20"), new("OTEL_BLRP_SCHEDULE_DELAY", "20"), new("OTEL_METRIC_EXPORT_INTERVAL", "100"),
        ]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Services.AddEmbeddedEventLog(Path.Combine(_data, "log"));
        builder.Services.AddEmbeddedProfiles(Path.Combine(_data, "profiles"));
        builder.Services.AddWindowStore(Path.Combine(_data, "windows"));
        builder.Services.AddModelStore(builder.Configuration, Path.Combine(_data, "models"));
        builder.Services.AddEmbeddedVectorIndex(Path.Combine(_data, "index"));
        builder.Services.AddSingleton(_ => new EncoderOutputCache(Path.Combine(_data, "cache")));
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddTrainerConsumers();
            bus.AddIndexerConsumers();
            bus.AddApiConsumers();
            bus.UsingInMemory((context, configuration) => configuration.ConfigureEndpoints(context));
        });
        builder.AddIngest();
        builder.AddTrainer();
        builder.AddIndexer();
        builder.AddApi();
        builder.Logging.AddFilter<ConsoleLoggerProvider>(null, LogLevel.None);
        _app = builder.Build();
        _app.MapApi();
    }

    public static async Task<PipelineUnderTest> StartAsync(params (string, string)[] settings)
    {
        var pipeline = new PipelineUnderTest(settings);
        await pipeline._app.StartAsync(Waiting.Token);
        pipeline.Client = new HttpClient { BaseAddress = new Uri(pipeline._app.Urls.Single()) };
        await Waiting.UntilAsync(async () => (await pipeline.Client.GetAsync("/readyz", Waiting.Token)).IsSuccessStatusCode);
        return pipeline;
    }

    /// <summary>Publishes a model that reads titles alone, and leaves the one in service there.</summary>
    public ModelVersion PublishAnother()
    {
        var models = Services.GetRequiredService<IModelStore>();
        using SentenceEncoder encoder = SentenceEncoder.Load(s_encoder, 32);
        using var model = new EmbeddingModel(encoder, head: null, new ItemText("{title}"), cache: null);
        return models.Publish(new ModelDraft(model.Fingerprint, model.Dimension, models.Live, null, new Dictionary<int, long>(), [], [], "test"), model.Save).Version;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}
