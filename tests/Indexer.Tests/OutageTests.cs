using BeeFormer.Streaming.InMemory;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>An index that is a server: down, slow, failing.</summary>
public sealed class OutageTests
{
    [Fact]
    public async Task Index_down_for_a_minute_loses_no_event_and_is_logged_once()
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000));
        await using var indexer = new IndexerUnderTest { Time = time };
        var model = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        await indexer.ComesAsync(async () => await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token) is not null);
        Assert.Equal(HealthStatus.Healthy, await indexer.HealthAsync());

        int attempts = 0;
        DateTimeOffset up = time.GetUtcNow() + TimeSpan.FromSeconds(60);
        indexer.Index.OnCall = method =>
        {
            if (method == nameof(indexer.Index.UpsertAsync)) Interlocked.Increment(ref attempts);
            if (time.GetUtcNow() < up) throw new IOException("connection refused");
        };
        for (int n = 0; n < 30; n++) await indexer.PutAsync($"i{n % 12:D2}", $"title {n}");
        await indexer.ComesAsync(async () => await indexer.HealthAsync() == HealthStatus.Degraded);
        while (time.GetUtcNow() < up)
        {
            int before = Volatile.Read(ref attempts);
            // A step of time, and where an attempt is due in it, the attempt.
            time.Advance(TimeSpan.FromSeconds(5));
            await indexer.ComesAsync(() => Task.FromResult(Volatile.Read(ref attempts) > before || time.GetUtcNow() >= up));
        }
        await indexer.ComesAsync(async () => await indexer.Log.CommittedAsync("items", Contracts.ReaderGroups.Indexer, 0, IndexerUnderTest.Token) == 30);
        await indexer.AssertIsCatalogueAsync(model);
        Assert.Equal(HealthStatus.Healthy, await indexer.HealthAsync());
        Assert.Single(indexer.Logged, line => line.Level >= LogLevel.Warning);
        Assert.Single(indexer.Logged, line => line.Line.Contains("answers again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_that_fails_late_is_repeated_and_announces_no_outage()
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000));
        await using var indexer = new IndexerUnderTest { Time = time };
        var health = new IndexerHealth(new IndexerMetrics(indexer.Meters, time), time, indexer.Logger<IndexerHealth>());
        var index = new PatientIndex(indexer.Index, health, time);
        var model = indexer.Models.GoLive('a');
        await index.CreateAsync(new VectorIndex.CollectionInfo("items-a", FakeModel.Dimension, model.Model.Fingerprint, model.Version), IndexerUnderTest.Token);
        var (begun, failing) = (new TaskCompletionSource(), new TaskCompletionSource());
        int attempts = 0;
        indexer.Index.OnRead = async _ =>
        {
            if (Interlocked.Increment(ref attempts) > 1) return;
            begun.SetResult();
            await failing.Task;
        };

        var late = index.FetchAsync("items-a", [], IndexerUnderTest.Token).AsTask();
        await begun.Task;
        Assert.Single(await index.ListAsync(IndexerUnderTest.Token));
        failing.SetException(new IOException("the connection was cut"));
        await indexer.ComesAsync(() => Task.FromResult(late.IsCompleted));
        Assert.Empty(await late);
        Assert.Equal(2, attempts);
        Assert.Empty(indexer.Logged);
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync(new HealthCheckContext(), IndexerUnderTest.Token)).Status);

        // One that nothing was answered after is one.
        indexer.Index.OnRead = _ => throw new IOException("the connection was cut");
        late = index.FetchAsync("items-a", [], IndexerUnderTest.Token).AsTask();
        await indexer.ComesAsync(() => Task.FromResult(!indexer.Logged.IsEmpty));
        Assert.Equal(HealthStatus.Degraded, (await health.CheckHealthAsync(new HealthCheckContext(), IndexerUnderTest.Token)).Status);
        indexer.Index.OnRead = _ => Task.CompletedTask;
        await indexer.ComesAsync(() => Task.FromResult(late.IsCompleted));
        Assert.Single(indexer.Logged, line => line.Line.Contains("answers again", StringComparison.Ordinal));
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 8)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Failures_at_any_call_before_or_after_its_effect_lose_nothing(int seed)
    {
        await using var indexer = new IndexerUnderTest { Time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000)) };
        var random = new Random(seed);
        int failures = 0;
        indexer.Around = new SteppedIndex(indexer.Index, step =>
        {
            lock (random)
                if (random.Next(6) > 0) return;
            Interlocked.Increment(ref failures);
            throw new IOException($"failed {step}");
        });
        var first = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        await ChangeAsync(60);
        await indexer.ComesAsync(async () => (await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token))?.Collection == "items-aaaaaaaa");
        var second = indexer.Models.GoLive('b');
        indexer.Published.Wake();
        await ChangeAsync(60);
        await indexer.ComesAsync(async () => (await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token))?.Collection == "items-bbbbbbbb");
        await ChangeAsync(20);
        long end = await indexer.Log.EndOffsetAsync("items", 0, IndexerUnderTest.Token);
        await indexer.ComesAsync(async () => await indexer.Log.CommittedAsync("items", Contracts.ReaderGroups.Indexer, 0, IndexerUnderTest.Token) == end);
        await indexer.AssertIsCatalogueAsync(second);
        Assert.True(failures > 10, $"{failures} failures");
        // A failure of the index is an outage, never a failed build.
        Assert.DoesNotContain(indexer.Logged, line => line.Level == LogLevel.Error);
        Assert.NotEqual(first.Version, second.Version);

        async Task ChangeAsync(int changes)
        {
            var history = new Random(seed + changes);
            for (int n = 0; n < changes; n++)
            {
                string id = $"i{history.Next(20):D2}";
                if (history.Next(4) == 0) await indexer.DeleteAsync(id);
                else await indexer.PutAsync(id, $"title {n} of {changes}");
            }
        }
    }

    [Fact]
    public async Task Build_pauses_while_the_index_is_away_and_encodes_nothing_twice()
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000));
        await using var indexer = new IndexerUnderTest { Time = time };
        indexer.Models.GoLive('a');
        await indexer.StartAsync();
        for (int n = 0; n < 40; n++) await indexer.PutAsync($"i{n:D2}", $"item {n}");
        await indexer.ComesAsync(async () => await indexer.Log.CommittedAsync("items", Contracts.ReaderGroups.Indexer, 0, IndexerUnderTest.Token) == 40);

        int loads = 0;
        DateTimeOffset? up = null;
        indexer.Index.OnUpsert = (collection, _) =>
        {
            if (collection != "items-bbbbbbbb") return Task.CompletedTask;
            if (Interlocked.Increment(ref loads) == 4) up = time.GetUtcNow() + TimeSpan.FromSeconds(60);
            return time.GetUtcNow() < up ? throw new IOException("connection refused") : Task.CompletedTask;
        };
        indexer.Encoded.Clear();
        var second = indexer.Models.GoLive('b');
        indexer.Published.Wake();
        await indexer.ComesAsync(() => Task.FromResult(up is not null));
        for (int step = 0; step < 30; step++)
        {
            time.Advance(TimeSpan.FromSeconds(3));
            await Task.Yield();
        }
        await indexer.ComesAsync(async () => (await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token))?.Collection == "items-bbbbbbbb");
        await indexer.AssertIsCatalogueAsync(second);
        // Every item once, and the canaries again.
        Assert.InRange(indexer.Encoded.Count(text => text.Model == "bbbbbbbb"), 40, 48);
        Assert.Equal([40L], indexer.Messages.OfType<Contracts.ReindexProgressed>().Where(message => message.Version == second.Version).Select(message => message.Total).Distinct());
        Assert.Equal(0, indexer.Messages.OfType<Contracts.ReindexProgressed>().First(message => message.Version == second.Version).Done);
        Assert.Single(indexer.Messages.OfType<Contracts.ReindexProgressed>(), message => message.Version == second.Version && message.Done == 0);
    }
}
