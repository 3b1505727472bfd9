using System.Diagnostics.Metrics;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.InMemory;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.Indexer.Tests;

public sealed class OrderOfEventsTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    /// <summary>Random histories of a few items, cut into random batches, each batch once or more, in any order: what counts is the newest change of each item.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Neither_order_nor_repetition_of_batches_matters(int seed)
    {
        var random = new Random(seed);
        ItemChange[] history = [.. Enumerable.Range(0, random.Next(1, 60)).Select(offset => Change($"i{random.Next(6)}", offset, random.Next(4) == 0 ? null : $"title {offset}"))];
        var batches = new List<ItemChange[]>();
        foreach (var part in history.Chunk(random.Next(1, 9)))
            batches.AddRange(Enumerable.Repeat(part, random.Next(1, 4)).Select(batch => batch.GroupBy(change => change.Id).Select(changes => changes.Last()).ToArray()));
        random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(batches));

        var index = new MemoryVectorIndex();
        await using var target = await Target.OfAsync(index);
        foreach (var batch in batches) await target.Value.ApplyAsync(batch, TestContext.Current.CancellationToken);

        var expected = history.GroupBy(change => change.Id).Select(changes => changes.Last()).Where(change => change.Event is not null);
        var found = await index.ScrollAsync("items", ItemFilter.None, null, 100, TestContext.Current.CancellationToken);
        Assert.Equal(expected.Select(change => (change.Id, change.Offset, change.Event!.Title)).Order(), found.Select(item => (item.Id, item.Revision, item.Title)).Order());
    }

    [Fact]
    public async Task Encoding_goes_by_turns_in_the_order_of_asking()
    {
        using var turn = new EncodingTurn();
        using var slice = new ManualResetEventSlim();
        var taken = new List<string>();
        var began = new TaskCompletionSource();
        var build = Task.Run(() => turn.TakeAsync(() => { began.SetResult(); slice.Wait(IndexerUnderTest.Token); taken.Add("slice"); return 0; }, IndexerUnderTest.Token));
        await began.Task;
        var events = turn.TakeAsync(() => { taken.Add("events"); return 0; }, IndexerUnderTest.Token);
        var next = turn.TakeAsync(() => { taken.Add("next slice"); return 0; }, IndexerUnderTest.Token);
        slice.Set();
        await Task.WhenAll(build, events, next);
        Assert.Equal(["slice", "events", "next slice"], taken);
    }

    private static ItemChange Change(string id, long offset, string? title) =>
        new(new ItemId(id), offset, title is null ? null : new ItemEvent(new ItemId(id), title, null, new Dictionary<string, JsonElement>(), null, true, 0));

    private sealed class Target(IndexTarget value, EncodingTurn turn, ServiceProvider meters) : IAsyncDisposable
    {
        public IndexTarget Value => value;

        public static async Task<Target> OfAsync(MemoryVectorIndex index)
        {
            var info = new CollectionInfo("items", FakeModel.Dimension, new Fingerprint(new string('a', 64)), new ModelVersion("000001-aaaaaaaa"));
            await index.CreateAsync(info, TestContext.Current.CancellationToken);
            var turn = new EncodingTurn();
            var meters = new ServiceCollection().AddMetrics().BuildServiceProvider();
            return new Target(new IndexTarget(info, new Embedder(info.Fingerprint), index, turn, new IndexerMetrics(meters.GetRequiredService<IMeterFactory>(), TimeProvider.System), NullLogger.Instance), turn, meters);
        }

        public ValueTask DisposeAsync()
        {
            value.Dispose();
            turn.Dispose();
            return meters.DisposeAsync();
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
