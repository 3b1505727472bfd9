using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.InMemory;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>The Indexer over parts in memory; a second <see cref="StartAsync"/> is a restart of the process.</summary>
internal sealed class IndexerUnderTest : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<IAsyncDisposable> _running = [];
    private readonly ServiceProvider _meters = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private IndexerHealth? _health;

    public MemoryEventLog Log { get; init; } = new();
    public MemoryVectorIndex Index { get; init; } = new();
    /// <summary>What the Indexer uses instead of <see cref="Index"/>, around it.</summary>
    public IVectorIndex? Around { get; set; }

    /// <summary>What holds the items instead of <see cref="Index"/>, as the test sees it; the Indexer gets it as <see cref="Around"/>.</summary>
    public IVectorIndex? Held { get; init; }

    public MemoryModelStore Models { get; init; } = new();
    public MemoryWindowStore Windows { get; init; } = new();
    /// <summary>Models that variants are served from; as of the next start.</summary>
    public List<ModelVersion> Pinned { get; } = [];

    public TimeProvider Time { get; init; } = TimeProvider.System;
    public ConcurrentQueue<object> Messages { get; } = new();
    public ConcurrentQueue<(string Model, string Title)> Encoded { get; } = new();
    public ConcurrentQueue<(LogLevel Level, string Line)> Logged { get; } = new();
    public WakeSignal Published { get; } = new();
    public IMeterFactory Meters => _meters.GetRequiredService<IMeterFactory>();

    public IndexerOptions Options { get; } = new()
    {
        CheckInterval = TimeSpan.FromMilliseconds(20), LongestRebuildDelay = TimeSpan.FromMilliseconds(40), RebuildBatch = 4, MaxBatch = 8, ReconcileEvery = TimeSpan.FromDays(1),
    };

    /// <summary>Called before items are encoded.</summary>
    public Action<Fingerprint> OnEmbed { get; set; } = _ => { };

    /// <summary>Changes what a model's vectors are, to make canaries fail.</summary>
    public Func<Fingerprint, float[], float[]> Distort { get; set; } = (_, vector) => vector;

    /// <summary>Titles that no model embeds: an exception for the whole batch, as of a head that meets numbers that are not finite.</summary>
    public Func<string, bool> Refuses { get; set; } = _ => false;

    /// <summary>Titles whose vectors are zeros.</summary>
    public Func<string, bool> Vanishes { get; set; } = _ => false;

    /// <summary>Numbers of a model's vectors.</summary>
    public Func<Fingerprint, int> Dimension { get; set; } = _ => FakeModel.Dimension;

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public async Task StartAsync()
    {
        var term = NewTerm();
        _running.Add(term);
        await term.StartAsync(_stop.Token);
    }

    public IndexingTerm NewTerm()
    {
        var options = Microsoft.Extensions.Options.Options.Create(Options);
        var metrics = new IndexerMetrics(Meters, Time);
        var targets = new IndexTargets(metrics);
        var read = ItemEvents.Reader(new EventClock(TimeSpan.FromMinutes(5)));
        _health = new IndexerHealth(metrics, Time, Logger<IndexerHealth>());
        var reconciliation = new IndexReconciliation(
            Log, Windows, Models, new PatientIndex(Around ?? Index, _health, Time), targets, manifest => new Embedder(this, manifest), read, Pinned,
            (message, _) => { Messages.Enqueue(message); return Task.CompletedTask; }, Published, options, Time, metrics, Logger<IndexReconciliation>());
        return new IndexingTerm(targets, reconciliation, new IncrementalIndexing(Log, targets, read, options, Time, Logger<IncrementalIndexing>()));
    }

    public TestLogger<T> Logger<T>() => new(TestContext.Current.TestOutputHelper, (level, line) => Logged.Enqueue((level, line)));

    public async Task<HealthStatus> HealthAsync() => (await _health!.CheckHealthAsync(new HealthCheckContext(), Token)).Status;

    public async Task<long> PutAsync(string id, string title, bool available = true)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object> { ["item_id"] = id, ["title"] = title, ["available"] = available, ["updated_at"] = 1_700_000_000_000 });
        return (await Log.AppendAsync(Topics.Items, [new LogRecord(Encoding.UTF8.GetBytes(id), json)], Token))[0].Offset;
    }

    public async Task DeleteAsync(string id) => await Log.AppendAsync(Topics.Items, [new LogRecord(Encoding.UTF8.GetBytes(id), null)], Token);

    /// <summary>Until all events in the log are committed.</summary>
    public async Task DrainedAsync()
    {
        long end = await Log.EndOffsetAsync(Topics.Items, 0, Token);
        await UntilAsync(async () => await Log.CommittedAsync(Topics.Items, ReaderGroups.Indexer, 0, Token) >= end);
    }

    public Task ServesAsync(ModelManifest model) =>
        UntilAsync(async () => (await (Held ?? Index).ResolveAliasAsync("items", Token))?.Collection == $"items-{model.Model.Fingerprint.Short}");

    public async Task<IReadOnlyDictionary<string, IndexedItem>> ItemsAsync(ModelManifest model) =>
        (await (Held ?? Index).ScrollAsync($"items-{model.Model.Fingerprint.Short}", VectorIndex.ItemFilter.None, null, 10_000, Token)).ToDictionary(item => item.Id.Value);

    /// <summary>The model's collection holds what the log says, item by item: revision, title, availability and vector.</summary>
    public async Task AssertIsCatalogueAsync(ModelManifest model)
    {
        var expected = new Dictionary<string, (long Offset, ItemEvent Item)>();
        var read = ItemEvents.Reader(new EventClock(TimeSpan.FromMinutes(5)));
        long end = await Log.EndOffsetAsync(Topics.Items, 0, Token);
        await using var subscription = Log.Subscribe(Topics.Items, "test", _ => 0);
        for (long next = 0; next < end;)
        {
            var batch = await subscription.ReadAsync(1000, Token);
            next = batch.NextOffset;
            foreach (var message in batch)
                if (message.Value is null) expected.Remove(Encoding.UTF8.GetString(message.Key.Span));
                else if (read(message) is { } item) expected[item.ItemId.Value] = (message.Offset, item);
        }
        var items = await ItemsAsync(model);
        Assert.Equal(expected.Keys.Order(), items.Keys.Order());
        foreach (var (id, (offset, item)) in expected)
        {
            Assert.Equal((id, offset, item.Title, item.Available), (id, items[id].Revision, items[id].Title, items[id].Available));
            Assert.Equal(FakeModel.Embed(model.Model.Fingerprint, item.Title), items[id].Vector, (left, right) => Math.Abs(left - right) < 1e-5);
        }
    }

    /// <summary>Looks again and again, a moment of fake time apart where there is one. What never comes fails the test after five minutes, which a working Indexer is far from.</summary>
    public async Task ComesAsync(Func<Task<bool>> holds) => await UntilAsync(async () =>
    {
        (Time as FakeTimeProvider)?.Advance(TimeSpan.FromMilliseconds(50));
        return await holds();
    });

    /// <summary>Looks again and again. What never comes fails the test after a minute, which a working Indexer is far from.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, Token);
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (!await holds()) await pause.WaitForNextTickAsync(either.Token);
    }

    public async Task StopAsync()
    {
        foreach (var running in _running) await running.DisposeAsync();
        _running.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        await _meters.DisposeAsync();
    }

    private sealed class Embedder(IndexerUnderTest owner, ModelManifest manifest) : IItemEmbedder
    {
        private bool _disposed;

        public Fingerprint Fingerprint => manifest.Model.Fingerprint;
        public Fingerprint Encoder => Fingerprint;
        public int Dimension => owner.Dimension(Fingerprint);

        public float[][] EmbedItems(IReadOnlyList<ItemEvent> items, CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            owner.OnEmbed(Fingerprint);
            if (items.Any(item => owner.Refuses(item.Title))) throw new ArgumentException("Encoder output 0 holds a value that is not finite, or too large.");
            foreach (var item in items) owner.Encoded.Enqueue((Fingerprint.Short, item.Title));
            return [.. items.Select(item => Embed(item.Title))];
        }

        private float[] Embed(string title)
        {
            if (owner.Vanishes(title)) return new float[Dimension];
            float[] vector = owner.Distort(Fingerprint, FakeModel.Embed(Fingerprint, title));
            Array.Resize(ref vector, Dimension);
            return vector;
        }

        public void Dispose() => _disposed = true;
    }
}
