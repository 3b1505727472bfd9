using System.Diagnostics;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.VectorIndex.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Freshness;

/// <summary>What answers cost in CPU and memory over a large catalogue on the embedded index, without HTTP and without encoding.</summary>
internal static class RequestCost
{
    private const int Dimension = 384;

    public static async Task RunAsync(string folder, int items)
    {
        var random = new Random(1);
        float[] Vector() => [.. Enumerable.Range(0, Dimension).Select(_ => (float)(random.NextDouble() * 2 - 1))];
        using var index = new EmbeddedVectorIndex(folder);
        var identity = new ServedBy(new ModelVersion("000001-aaaaaaaa"), new Fingerprint(new string('a', 64)), 1);
        await index.CreateAsync(new CollectionInfo("items", Dimension, identity.Fingerprint, identity.Version), default);
        foreach (var batch in Enumerable.Range(0, items).Chunk(4000))
            await index.LoadAsync("items", [.. batch.Select(n => new IndexedItem(new ItemId($"item{n}"), n, Vector(), $"title of item {n}", true, new Dictionary<string, System.Text.Json.JsonElement>()))], default);
        await index.SettleAsync("items", default);

        var popularity = new PopularityCounter(TimeSpan.FromDays(7));
        for (int n = 0; n < items; n++) popularity.Add(new ItemId($"item{n}"), 1 + n % 100, 1_700_000_000_000 + n);
        var hidden = new HiddenItems();
        hidden.Complete();
        using var pairs = new ServingPairs(hidden);
        pairs.Switch(new ServingPair(identity, "items", new NoModel(identity.Fingerprint), await index.HoldAsync("items", default)));
        var recommender = new Recommender(index, new NoProfiles(), popularity, Options.Create(new UserVectorOptions()), TimeProvider.System, NullLogger<Recommender>.Instance);

        var query = Vector();
        var history = Enumerable.Range(0, 100).Select(n => new ItemId($"item{n * 37}")).ToList();
        var taste = recommender.TasteOf(history);
        var nobody = recommender.TasteOf([]);
        var one = new ItemFilter { Must = [new HasId(new HashSet<ItemId> { new("item1") })] };
        foreach (int hiddenItems in new[] { 0, 10_000 })
        {
            for (int n = 0; n < hiddenItems; n++) hidden.Note(new ItemId($"item{items - 1 - n}"), hidden: true, new LogPosition(0, n));
            Console.WriteLine($"{items:N0} items, {hiddenItems:N0} hidden ones that the index still shows:");
            await MeasureAsync("search", 100, pairs, pair => recommender.SearchAsync(pair, query, 10, ItemFilter.None, default));
            await MeasureAsync("recommend from 100 items", 100, pairs, pair => recommender.RecommendAsync(pair, taste, new RankingOptions(), 10, ItemFilter.None, taste.Seen, false, default));
            await MeasureAsync("the same, explained", 100, pairs, pair => recommender.RecommendAsync(pair, taste, new RankingOptions(), 10, ItemFilter.None, taste.Seen, true, default));
            await MeasureAsync("recommended with diversity", 100, pairs, pair => recommender.RecommendAsync(pair, taste, new RankingOptions { Diversity = 0.3 }, 10, ItemFilter.None, taste.Seen, false, default));
            await MeasureAsync("recommended with exploration", 100, pairs, pair => recommender.RecommendAsync(pair, taste, new RankingOptions { Exploration = 0.2 }, 10, ItemFilter.None, taste.Seen, false, default));
            await MeasureAsync("popular", 100, pairs, pair => recommender.RecommendAsync(pair, nobody, new RankingOptions(), 10, ItemFilter.None, nobody.Seen, false, default));
            await MeasureAsync("popular, one item passes the filter", 5, pairs, pair => recommender.RecommendAsync(pair, nobody, new RankingOptions(), 10, one, nobody.Seen, false, default));
        }
    }

    private static async Task MeasureAsync(string what, int times, ServingPairs pairs, Func<PairLease, Task> request)
    {
        async Task OnceAsync()
        {
            using var pair = pairs.Enter()!;
            await request(pair);
        }
        for (int n = 0; n < 3; n++) await OnceAsync();
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        var cpu = Environment.CpuUsage.TotalTime;
        for (int n = 0; n < times; n++) await OnceAsync();
        Console.WriteLine($"  {what}: {(Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds / times:F2} ms of CPU, {(GC.GetTotalAllocatedBytes(precise: true) - allocated) / 1024.0 / times:N0} KiB allocated");
    }

    private sealed class NoModel(Fingerprint fingerprint) : IQueryEmbedder
    {
        public Fingerprint Fingerprint => fingerprint;
        public float[] EmbedQuery(string text) => [];
        public void Dispose() { }
    }

    private sealed class NoProfiles : IProfiles
    {
        public ValueTask<IReadOnlyList<ProfileInteraction>> GetAsync(UserId user, CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<ProfileInteraction>>([]);
        public long NextOffset(int partition) => throw new NotSupportedException();
        public ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken) => throw new NotSupportedException();
        public ValueTask FlushAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
