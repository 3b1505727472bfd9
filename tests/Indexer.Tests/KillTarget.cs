using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Embedded;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.InMemory;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>Runs in the process that is killed: changes items, publishes models, indexes all of it on the embedded parts.</summary>
public sealed class KillTarget
{
    public const string FolderVariable = "BEEFORMER_KILL_TARGET", StepVariable = "BEEFORMER_KILL_STEP", SeedVariable = "BEEFORMER_KILL_SEED", PinVariable = "BEEFORMER_KILL_PIN";
    public const string AnyMoment = "any moment";
    /// <summary>A byte for every batch of changes sent.</summary>
    public const string RoundsFile = "rounds";
    private const int Items = 60;

    /// <summary>The first model that is published: what a variant is pinned to where there is one.</summary>
    public static readonly ModelVersion Pinned = ModelVersion.Of(1, new Fingerprint(new string('0', 64)));

    /// <summary>Where the process kills itself: during a full build, around the switch, between upsert and commit.</summary>
    public static readonly string[] Steps =
    [
        SteppedIndex.Before(nameof(IVectorIndex.LoadAsync)), SteppedIndex.After(nameof(IVectorIndex.LoadAsync)), SteppedIndex.Before(nameof(IVectorIndex.SettleAsync)), SteppedIndex.After(nameof(IVectorIndex.SettleAsync)),
        SteppedIndex.Before(nameof(IVectorIndex.PointAliasAsync)), SteppedIndex.After(nameof(IVectorIndex.PointAliasAsync)), SteppedIndex.Before(nameof(IVectorIndex.UpsertAsync)), SteppedIndex.After(nameof(IVectorIndex.UpsertAsync)),
        SteppedIndex.After(nameof(IVectorIndex.DeleteAsync)), SteppedIndex.After(nameof(IVectorIndex.CreateAsync)),
    ];

    [Fact]
    public async Task Changes_and_indexes_until_it_is_killed()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (folder is null) Assert.Skip("runs only as the child of another test");
        string[] step = Environment.GetEnvironmentVariable(StepVariable)!.Split(':');
        int seed = int.Parse(Environment.GetEnvironmentVariable(SeedVariable)!, CultureInfo.InvariantCulture);
        var kill = new SelfKill(step[0], int.Parse(step[1], CultureInfo.InvariantCulture));
        using var host = Host(folder, kill.At, Environment.GetEnvironmentVariable(PinVariable) == "1");
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(() => Environment.Exit(3));
        await host.StartAsync(TestContext.Current.CancellationToken);
        var log = host.Services.GetRequiredService<IEventLog>();
        var models = host.Services.GetRequiredService<IModelStore>();
        var random = new Random(seed);
        if (models.Live is null) GoLive(models, '0'); // without one nothing is indexed
        while (true)
        {
            await log.AppendAsync(Topics.Items, [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => Change(random))], TestContext.Current.CancellationToken);
            await File.AppendAllTextAsync(Path.Combine(folder, RoundsFile), ".", TestContext.Current.CancellationToken);
            // Models come and go: new ones, and back to the one before.
            if (random.Next(6) == 0) GoLive(models, "0123456789"[random.Next(10)]);
            await CommittedAsync(log, behind: 40);
        }
    }

    private static LogRecord Change(Random random)
    {
        string id = $"i{random.Next(Items):D2}";
        return random.Next(4) == 0
            ? new LogRecord(ItemJson.Key(new ItemId(id)), null)
            : ItemJson.Record(new ItemEvent(new ItemId(id), $"title {random.Next(1000)}", null, new Dictionary<string, JsonElement> { ["size"] = JsonSerializer.SerializeToElement(random.Next(10)) }, null, random.Next(5) > 0, 1_700_000_000_000));
    }

    internal static void GoLive(IModelStore models, char digit)
    {
        var fingerprint = new Fingerprint(new string(digit, 64));
        var manifest = models.List().FirstOrDefault(known => known.Model.Fingerprint == fingerprint)
            ?? models.Publish(new ModelDraft(fingerprint, FakeModel.Dimension, models.Live, null, new Dictionary<int, long>(), new JsonObject(), new JsonObject(), "test"),
                folder => File.WriteAllText(Path.Combine(folder, "config.json"), digit.ToString()));
        models.TryMoveLive(models.Live, manifest.Version);
    }

    /// <summary>Until the Indexer is at most so many events behind.</summary>
    internal static async Task CommittedAsync(IEventLog log, long behind) => await IndexerUnderTest.UntilAsync(async () =>
        await log.EndOffsetAsync(Topics.Items, 0, TestContext.Current.CancellationToken) - await log.CommittedAsync(Topics.Items, ReaderGroups.Indexer, 0, TestContext.Current.CancellationToken) <= behind);

    internal static IHost Host(string folder, Action<string>? step, bool pinned)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("Indexer:CheckInterval", "00:00:00.020"), new("Indexer:RebuildBatch", "7"), new("Indexer:MaxBatch", "9"), new("Indexer:LongestRebuildDelay", "00:00:00.100")]);
        if (pinned) builder.Configuration.AddInMemoryCollection([new("Variants:0:Version", Pinned.Value)]);
        builder.Services.AddEmbeddedEventLog(Path.Combine(folder, "log"));
        builder.Services.AddWindowStore(Path.Combine(folder, "windows"));
        builder.Services.AddModelStore(builder.Configuration, Path.Combine(folder, "models"));
        builder.Services.AddEmbeddedVectorIndex(Path.Combine(folder, "index"));
        if (step is not null)
        {
            var inner = builder.Services.Last(service => service.ServiceType == typeof(IVectorIndex));
            builder.Services.Remove(inner);
            builder.Services.AddSingleton<IVectorIndex>(provider => new SteppedIndex((IVectorIndex)inner.ImplementationFactory!(provider), step));
        }
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddIndexerConsumers();
            bus.UsingInMemory((context, configuration) => configuration.ConfigureEndpoints(context));
        });
        builder.Services.AddSingleton<LoadItemEmbedder>(manifest => new Embedder(manifest.Model.Fingerprint));
        builder.AddIndexer();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Error).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        return builder.Build();
    }

    private sealed class SelfKill(string step, int nth)
    {
        private int _met;

        public void At(string here)
        {
            if (here == step && Interlocked.Increment(ref _met) == nth) Process.GetCurrentProcess().Kill();
        }
    }

    private sealed class Embedder(Fingerprint fingerprint) : IItemEmbedder
    {
        public Fingerprint Fingerprint => fingerprint;
        public Fingerprint Encoder => fingerprint;
        public int Dimension => FakeModel.Dimension;

        public float[][] EmbedItems(IReadOnlyList<ItemEvent> items, CancellationToken cancellationToken) =>
            [.. items.Select(item => FakeModel.Embed(fingerprint, item.Title))];

        public void Dispose() { }
    }
}
