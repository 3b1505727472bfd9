using System.Net;
using BeeFormer.Streaming.Contracts;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class ServingPairTests
{
    [Fact]
    public async Task Not_ready_before_a_pair_serves_and_ready_after()
    {
        await using var api = await ApiUnderTest.StartAsync(serving: false);
        Assert.Equal(HttpStatusCode.OK, (await api.SendAsync(HttpMethod.Get, "/healthz")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.SendAsync(HttpMethod.Get, "/readyz")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.PostAsync("/v1/search", new { text = "x" })).Status);
        await api.ServeAsync('a');
        await ApiUnderTest.UntilAsync(async () => (await api.SendAsync(HttpMethod.Get, "/readyz")).Status == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.OK, (await api.PostAsync("/v1/search", new { text = "x" })).Status);
    }

    [Fact]
    public async Task Requests_under_way_while_pairs_switch_never_fail_and_never_mix()
    {
        await using var api = await ApiUnderTest.StartAsync();
        for (int n = 0; n < 20; n++) await api.IndexAsync($"i{n}", $"item number {n}");
        var letters = "abababab";
        using var stop = new CancellationTokenSource();
        var generations = new System.Collections.Concurrent.ConcurrentDictionary<long, string>();
        var clients = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var (status, answer) = await api.PostAsync("/v1/search", new { text = "item number 7", k = 5 });
                Assert.Equal(HttpStatusCode.OK, status);
                Assert.Equal("i7", ApiUnderTest.Ids(answer)[0]);
                // One generation is one fingerprint, in every answer.
                string fingerprint = answer.GetProperty("fingerprint").GetString()!;
                Assert.Equal(fingerprint, generations.GetOrAdd(answer.GetProperty("index_generation").GetInt64(), fingerprint));
            }
        }, ApiUnderTest.Token)).ToList();
        for (int n = 0; n < letters.Length; n++)
        {
            if (n > 0) await api.ServeAsync(letters[n]);
            long generation = (await api.Index.ResolveAliasAsync("items", ApiUnderTest.Token))!.Generation;
            await ApiUnderTest.UntilAsync(() => Task.FromResult(generations.ContainsKey(generation) || clients.Any(client => client.IsFaulted)));
        }
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Assert.Equal(letters.Length, generations.Count);
    }

    [Property(MaxTest = 30)]
    public void Model_is_disposed_once_after_the_last_request_has_left(byte requests)
    {
        var pairs = new ServingPairs(AllKnown());
        var first = new CountingEmbedder();
        var hold = new CountingHold();
        pairs.Switch(Pair(first, 1, hold));
        var leases = Enumerable.Range(0, requests).Select(_ => pairs.Enter()!).ToList();
        pairs.Switch(Pair(new CountingEmbedder(), 2));
        foreach (var lease in leases)
        {
            Assert.Equal((0, 0), (first.Disposals, hold.Ends));
            Assert.Equal(1, lease.Identity.Generation);
            lease.Dispose();
            lease.Dispose();
        }
        Assert.Equal((1, 1), (first.Disposals, hold.Ends));
        using var current = pairs.Enter();
        Assert.Equal(2, current!.Identity.Generation);
    }

    [Fact]
    public async Task No_request_meets_a_disposed_model()
    {
        var pairs = new ServingPairs(AllKnown());
        pairs.Switch(Pair(new CountingEmbedder(), 0));
        using var stop = new CancellationTokenSource();
        var requests = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var lease = pairs.Enter()!;
                Assert.Single(lease.Embedder.EmbedQuery("x"));
            }
        }, ApiUnderTest.Token)).ToList();
        for (int generation = 1; generation <= 2000; generation++) pairs.Switch(Pair(new CountingEmbedder(), generation));
        await stop.CancelAsync();
        await Task.WhenAll(requests);
    }

    private static HiddenItems AllKnown()
    {
        var hidden = new HiddenItems();
        hidden.Complete();
        return hidden;
    }

    private static ServingPair Pair(IQueryEmbedder embedder, long generation) => Pair(embedder, generation, new CountingHold());

    private static ServingPair Pair(IQueryEmbedder embedder, long generation, IAsyncDisposable hold) =>
        new(new ServedBy(new ModelVersion($"{generation:D6}-aaaaaaaa"), embedder.Fingerprint, generation), "items-aaaaaaaa", embedder, hold);

    private sealed class CountingHold : IAsyncDisposable
    {
        public int Ends { get; private set; }

        public ValueTask DisposeAsync()
        {
            Ends++;
            return ValueTask.CompletedTask;
        }
    }

    private sealed class CountingEmbedder : IQueryEmbedder
    {
        private int _disposals;
        public int Disposals => Volatile.Read(ref _disposals);
        public Fingerprint Fingerprint { get; } = new(new string('a', 64));

        public float[] EmbedQuery(string text)
        {
            ObjectDisposedException.ThrowIf(Disposals > 0, this);
            return [1];
        }

        public void Dispose() => Interlocked.Increment(ref _disposals);
    }
}
