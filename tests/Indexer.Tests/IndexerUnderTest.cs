using System.Collections.Concurrent;
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
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>The Indexer over parts in memory; a second <see cref="StartAsync"/> is a restart of the process.</summary>
internal sealed class IndexerUnderTest : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<IAsyncDisposable> _running = [];

    public MemoryEventLog Log { get; init; } = new();
    public MemoryVectorIndex Index { get; init; } = new();
    public MemoryModelStore Models { get; init; } = new();
    public MemoryWindowStore Windows { get; init; } = new();
    public ConcurrentQueue<object> Messages { get; } = new();
    public ConcurrentQueue<(string Model, string Title)> Encoded { get; } = new();
    public WakeSignal Published { get; } = new();

    /// <summary>Called before items are encoded.</summary>
    public Action<Fingerprint> OnEmbed { get; set; } = _ => { };

    /// <summary>Changes what a model's vectors are, to make canaries fail.</summary>
    public Func<Fingerprint, float[], float[]> Distort { get; set; } = (_, vector) => vector;

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public async Task StartAsync()
    {
        var options = Options.Create(new IndexerOptions { CheckInterval = TimeSpan.FromMilliseconds(20), LongestRebuildDelay = TimeSpan.FromMilliseconds(40), RebuildBatch = 4, MaxBatch = 8 });
        var targets = new IndexTargets();
        var read = ItemEvents.Reader(new EventClock(TimeSpan.FromMinutes(5)));
        var reconciliation = new IndexReconciliation(
            Log, Windows, Models, Index, targets, manifest => new Embedder(this, manifest), read,
            (message, _) => { Messages.Enqueue(message); return Task.CompletedTask; }, Published, options, TimeProvider.System, new TestLogger<IndexReconciliation>(TestContext.Current.TestOutputHelper));
        var incremental = new IncrementalIndexing(Log, targets, read, options, TimeProvider.System, new TestLogger<IncrementalIndexing>(TestContext.Current.TestOutputHelper));
        await reconciliation.StartAsync(_stop.Token);
        await incremental.StartAsync(_stop.Token);
        _running.Add(new Stopping(reconciliation, incremental, targets));
    }

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
        UntilAsync(async () => (await Index.ResolveAliasAsync("items", Token))?.Collection == $"items-{model.Model.Fingerprint.Short}");

    public async Task<IReadOnlyDictionary<string, IndexedItem>> ItemsAsync(ModelManifest model) =>
        (await Index.ScrollAsync($"items-{model.Model.Fingerprint.Short}", VectorIndex.ItemFilter.None, null, 10_000, Token)).ToDictionary(item => item.Id.Value);

    /// <summary>Looks again and again. What never comes fails the test after a minute, which a working Indexer is far from.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
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
    }

    private sealed class Embedder(IndexerUnderTest owner, ModelManifest manifest) : IItemEmbedder
    {
        private bool _disposed;

        public Fingerprint Fingerprint => manifest.Model.Fingerprint;
        public int Dimension => FakeModel.Dimension;

        public EmbeddingMatrix EmbedItems(IReadOnlyList<ItemEvent> items, CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            owner.OnEmbed(Fingerprint);
            foreach (var item in items) owner.Encoded.Enqueue((Fingerprint.Short, item.Title));
            return new EmbeddingMatrix([.. items.SelectMany(item => owner.Distort(Fingerprint, FakeModel.Embed(Fingerprint, item.Title)))], Dimension);
        }

        public void Dispose() => _disposed = true;
    }

    private sealed class Stopping(IndexReconciliation reconciliation, IncrementalIndexing incremental, IndexTargets targets) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await incremental.StopAsync(CancellationToken.None);
            await reconciliation.StopAsync(CancellationToken.None);
            incremental.Dispose();
            reconciliation.Dispose();
            targets.Dispose();
        }
    }
}
