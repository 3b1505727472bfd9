using System.Net;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.InMemory;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>A pair comes into service whole and warm, or not at all.</summary>
public sealed class PairKeepingTests
{
    private static CancellationToken Token => ApiUnderTest.Token;

    [Fact]
    public async Task Collection_in_service_cannot_be_dropped_and_the_one_before_can()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var entered = api.Pairs.Enter()!;
        await api.ServeAsync('b');
        await UntilServingAsync(api, 2);
        Assert.False(await api.Index.DropAsync("items-aaaaaaaa", Token)); // a request reads from it
        Assert.False(await api.Index.DropAsync("items-bbbbbbbb", Token));
        entered.Dispose();
        Assert.True(await api.Index.DropAsync("items-aaaaaaaa", Token));
    }

    [Fact]
    public async Task Stopped_service_holds_nothing()
    {
        var index = new MemoryVectorIndex();
        await using (await ApiUnderTest.StartOnAsync(index)) { }
        await index.CreateAsync(new("other", FakeModel.Dimension, new Fingerprint(new string('b', 64)), new ModelVersion("000002-bbbbbbbb")), Token);
        await index.PointAliasAsync("items", "other", Token);
        Assert.True(await index.DropAsync("items-aaaaaaaa", Token));
    }

    [Fact]
    public async Task Collection_that_is_dropped_before_it_is_held_is_looked_past_at_once()
    {
        var index = new MemoryVectorIndex();
        await using var api = await ApiUnderTest.StartOnAsync(index, settings: ("Api:CheckInterval", "01:00:00")); // nobody looks again by himself
        bool dropped = false;
        index.OnRead = async collection =>
        {
            if (collection != "items-bbbbbbbb" || dropped) return;
            dropped = true;
            await api.ServeAsync('c');
            Assert.True(await index.DropAsync("items-bbbbbbbb", Token));
        };
        await api.ServeAsync('b');
        api.WakePairs();
        await UntilServingAsync(api, 3);
        Assert.True(dropped);
    }

    [Fact]
    public async Task Pair_has_answered_before_it_serves_and_the_one_before_answers_meanwhile()
    {
        var index = new MemoryVectorIndex();
        await using var api = await ApiUnderTest.StartOnAsync(index);
        await api.IndexAsync("i", "red lamp");
        using var loading = new SemaphoreSlim(0);
        using var asked = new SemaphoreSlim(0);
        using var answer = new SemaphoreSlim(0);
        long? servingThen = null;
        api.OnLoad = _ => loading.Wait(Token);
        await api.ServeAsync('b');
        int reads = 0;
        index.OnRead = async collection =>
        {
            if (collection != "items-bbbbbbbb" || ++reads > 1) return;
            servingThen = api.Pairs.Identity!.Generation;
            asked.Release();
            await answer.WaitAsync(Token);
        };
        Assert.Equal(1, await GenerationAsync(api)); // while the model loads
        loading.Release();
        await asked.WaitAsync(Token);
        Assert.Equal(1, await GenerationAsync(api)); // while it answers for the first time
        answer.Release();
        await UntilServingAsync(api, 2);
        Assert.Equal(1, servingThen);
        Assert.Equal(2, await GenerationAsync(api));
    }

    [Fact]
    public async Task Pair_that_does_not_come_up_leaves_the_one_before_and_gives_back_the_collection()
    {
        await using var api = await ApiUnderTest.StartAsync();
        int attempts = 0;
        bool damaged = true;
        api.OnLoad = manifest =>
        {
            Interlocked.Increment(ref attempts);
            if (damaged) throw new InvalidDataException($"{manifest.Version} is damaged");
        };
        await api.ServeAsync('b');
        await ApiUnderTest.UntilAsync(() => Task.FromResult(Volatile.Read(ref attempts) >= 3));
        Assert.Equal(1, await GenerationAsync(api));
        Assert.Equal(HttpStatusCode.OK, (await api.SendAsync(HttpMethod.Get, "/readyz")).Status);
        damaged = false;
        await UntilServingAsync(api, 2);
        await api.ServeAsync('c');
        await UntilServingAsync(api, 3);
        Assert.True(await api.Index.DropAsync("items-bbbbbbbb", Token)); // no attempt holds it still
    }

    [Fact]
    public async Task Index_out_of_reach_is_answered_with_when_to_come_back_and_changes_nothing()
    {
        var index = new MemoryVectorIndex();
        await using var api = await ApiUnderTest.StartOnAsync(index);
        api.Profiles.Bought("u", "i");
        await api.IndexAsync("i", "red lamp");
        index.OnRead = _ => throw new IOException("no answer");
        await api.ServeAsync('b');
        using var search = new StringContent("""{"text":"x"}""", System.Text.Encoding.UTF8, "application/json");
        using var recommendations = new StringContent("""{"user_id":"u"}""", System.Text.Encoding.UTF8, "application/json");
        foreach (var asked in new[] { api.Client.PostAsync("/v1/search", search, Token), api.Client.PostAsync("/v1/recommendations", recommendations, Token), api.Client.GetAsync("/v1/items/i/similar", Token) })
        {
            using var response = await asked;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
            Assert.True(response.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        }
        Assert.Equal(1, api.Pairs.Identity!.Generation);
        index.OnRead = _ => Task.CompletedTask;
        await UntilServingAsync(api, 2);
        Assert.Equal(2, await GenerationAsync(api));
    }

    [Fact]
    public void What_does_not_come_up_is_tried_ever_later_and_soon_where_a_server_was_away()
    {
        static double[] Waits(Exception failure)
        {
            TimeSpan delay = TimeSpan.FromSeconds(2);
            return [.. Enumerable.Range(0, 6).Select(_ => (delay = PairKeeping.Longer(delay, failure)).TotalSeconds)];
        }
        Assert.Equal([4, 5, 5, 5, 5, 5], Waits(new IOException("no answer")));
        Assert.Equal([4, 8, 16, 30, 30, 30], Waits(new InvalidDataException("damaged")));
    }

    private static Task UntilServingAsync(ApiUnderTest api, long generation) => ApiUnderTest.UntilAsync(() => Task.FromResult(api.Pairs.Identity?.Generation == generation));

    private static async Task<long> GenerationAsync(ApiUnderTest api)
    {
        var (status, answer) = await api.PostAsync("/v1/search", new { text = "red lamp" });
        Assert.Equal(HttpStatusCode.OK, status);
        return answer.GetProperty("index_generation").GetInt64();
    }
}
