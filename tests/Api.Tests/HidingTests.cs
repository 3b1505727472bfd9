using System.Net;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>What was deleted or hidden is in no answer that begins after the acknowledgement, whatever index and models are about.</summary>
public sealed class HidingTests
{
    private const int Items = 24;
    private const int Writers = 3;
    private static readonly string[] Reasons = ["i0", "i1", "i2"];

    private static CancellationToken Token => ApiUnderTest.Token;

    /// <summary>Several writers, an indexer that lags, builds and switches, and readers of every kind, all at once.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Nothing_hidden_is_in_an_answer_while_items_come_go_and_return_and_models_switch(int seed)
    {
        await using var api = await ApiUnderTest.StartAsync();
        var indexer = new LaggingIndexer(api);
        var shop = new Shop(api);
        for (int n = 0; n < Items; n++) await shop.PutAsync(n, available: true);
        api.Profiles.Bought("u", Reasons);
        await api.PostAsync("/v1/events", Enumerable.Range(0, Items).Select(n => new { user_id = $"x{n}", item_id = $"i{n}", type = "purchase", timestamp = 1_700_000_000_000 }));
        while (await indexer.FollowAsync(100)) { }

        var writers = Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var random = new Random(seed * 100 + writer);
            for (int step = 0; step < 250; step++)
            {
                int n = random.Next(Items / Writers) * Writers + writer; // an item has one writer, so that its state is known
                switch (random.Next(4))
                {
                    case 0: await shop.DeleteAsync(n); break;
                    case 1: await shop.PutAsync(n, available: false); break;
                    default: await shop.PutAsync(n, available: true); break;
                }
            }
        }, Token)).ToList();
        var written = Task.WhenAll(writers);
        var indexing = Task.Run(async () =>
        {
            var random = new Random(seed);
            while (!written.IsCompleted)
            {
                switch (random.Next(10))
                {
                    case 0: await indexer.BeginAsync((char)('a' + random.Next(6))); break;
                    case 1: await indexer.SwitchAsync(); api.WakePairs(); break;
                    case 2 or 3: await indexer.FillAsync(random.Next(8)); break;
                    case 4: await api.Services.GetRequiredService<HiddenItemsReading>().ReleaseIndexedAsync(Token); break;
                    default: await indexer.FollowAsync(1 + random.Next(6)); break;
                }
                await Task.Yield();
            }
        }, Token);
        int answers = 0;
        var readers = Enumerable.Range(0, 7).Select(kind => Task.Run(async () =>
        {
            var random = new Random(seed * 1000 + kind);
            while (!indexing.IsCompleted)
            {
                await shop.AskAsync(kind, random.Next(Items));
                Interlocked.Increment(ref answers);
            }
        }, Token)).ToList();

        await Task.WhenAll([written, indexing, .. readers]);
        Assert.True(answers > 100, $"{answers} answers");

        // In the end everything that is there is found, and nothing else.
        while (await indexer.FollowAsync(100)) { }
        await ApiUnderTest.UntilAsync(async () => api.Hidden.Current.Count == 0
            && ApiUnderTest.Ids((await api.PostAsync("/v1/search", new { text = "thing", k = 100 })).Body).Order(StringComparer.Ordinal).SequenceEqual(shop.There().Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task Request_that_waits_while_the_pair_switches_and_the_item_is_released_does_not_show_it()
    {
        var index = new MemoryVectorIndex();
        await using var api = await ApiUnderTest.StartOnAsync(index);
        var indexer = new LaggingIndexer(api);
        var shop = new Shop(api);
        for (int n = 0; n < 6; n++) await shop.PutAsync(n, available: true);
        api.Profiles.Bought("u", Reasons);
        while (await indexer.FollowAsync(100)) { }
        await indexer.BeginAsync('b');
        await shop.DeleteAsync(5);

        using var waits = new SemaphoreSlim(0);
        using var goesOn = new SemaphoreSlim(0);
        int reads = 0;
        index.OnRead = async collection =>
        {
            if (collection != "items-aaaaaaaa" || Interlocked.Increment(ref reads) > 1) return;
            waits.Release();
            await goesOn.WaitAsync(Token);
        };
        var request = api.PostAsync("/v1/recommendations", new { user_id = "u", k = 100 });
        await waits.WaitAsync(Token); // its history is about to be fetched from the old collection
        await indexer.SwitchAsync();
        api.WakePairs();
        while (await indexer.FollowAsync(100)) { } // the new collection alone
        await ApiUnderTest.UntilAsync(() => Task.FromResult(api.Pairs.Identity!.Generation == 2 && api.Hidden.Current.Count == 0));
        goesOn.Release();
        var (status, answer) = await request;
        Assert.Equal((HttpStatusCode.OK, 1), (status, answer.GetProperty("index_generation").GetInt64()));
        Assert.Equal(["i3", "i4"], ApiUnderTest.Ids(answer).Order());
    }

    [Fact]
    public async Task Reason_is_named_only_while_it_can_be_had_and_still_tells_of_the_taste()
    {
        await using var api = await ApiUnderTest.StartAsync();
        await api.IndexAsync("lamp1", "red lamp");
        await api.IndexAsync("lamp2", "red lamp shade");
        await api.IndexAsync("chair", "green chair");
        await api.SendAsync(HttpMethod.Delete, "/v1/items/lamp1");
        var (_, answer) = await api.PostAsync("/v1/recommendations", new { history = new[] { "lamp1" }, explain = true });
        Assert.Equal(["lamp2", "chair"], ApiUnderTest.Ids(answer));
        Assert.All(answer.GetProperty("items").EnumerateArray(), item => Assert.False(item.TryGetProperty("because", out _)));
        (_, answer) = await api.PostAsync("/v1/recommendations", new { history = new[] { "lamp1", "chair" }, explain = true });
        Assert.Equal("chair", answer.GetProperty("items")[0].GetProperty("because").GetProperty("item_id").GetString());
    }

    [Fact]
    public async Task History_may_begin_with_an_item_that_the_index_has_no_more()
    {
        await using var api = await ApiUnderTest.StartAsync();
        await api.IndexAsync("lamp1", "red lamp");
        await api.IndexAsync("lamp2", "blue lamp");
        var (status, answer) = await api.PostAsync("/v1/recommendations", new { history = new[] { "gone", "lamp1" } });
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(["lamp2"], ApiUnderTest.Ids(answer));
    }

    [Fact]
    public async Task Another_instance_hides_what_it_has_read_from_the_log_and_answers_nothing_before_it_has_read_what_there_was()
    {
        await using var first = await ApiUnderTest.StartAsync();
        await first.IndexAsync("lamp1", "red lamp");
        await first.IndexAsync("lamp2", "blue lamp");
        await first.SendAsync(HttpMethod.Delete, "/v1/items/lamp1");
        await using var second = await first.StartAnotherAsync();
        Assert.Equal(["lamp2"], await FoundAsync(second));

        await first.SendAsync(HttpMethod.Put, "/v1/items/lamp2", """{"title":"blue lamp","available":false,"updated_at":1700000000000}""");
        await ApiUnderTest.UntilAsync(async () => (await FoundAsync(second)).Count == 0);
        await second.SendAsync(HttpMethod.Put, "/v1/items/lamp2", """{"title":"blue lamp","updated_at":1700000000000}""");
        Assert.Equal(["lamp2"], await FoundAsync(second));
        await ApiUnderTest.UntilAsync(async () => (await FoundAsync(first)).SequenceEqual(["lamp2"]));
    }

    private static async Task<IReadOnlyList<string>> FoundAsync(ApiUnderTest api)
    {
        var (status, answer) = await api.PostAsync("/v1/search", new { text = "lamp" });
        Assert.Equal(HttpStatusCode.OK, status);
        return ApiUnderTest.Ids(answer);
    }

    /// <summary>Items, what their writers were told of them, and questions whose answers are compared with it.</summary>
    private sealed class Shop(ApiUnderTest api)
    {
        private readonly Lock _lock = new();
        // Hidden: acknowledged as such, and nobody has begun to bring it back. Change: grows with each step, so that a coming back is seen.
        private readonly (bool Hidden, int Change)[] _items = new (bool, int)[Items];

        public IEnumerable<string> There() => Enumerable.Range(0, Items).Where(n => !_items[n].Hidden).Select(n => $"i{n}");

        public async Task PutAsync(int n, bool available)
        {
            if (available) Know(n, hidden: false);
            await AcceptedAsync(HttpMethod.Put, n, JsonSerializer.Serialize(new { title = $"thing{n} word{n % 5}", available, updated_at = 1_700_000_000_000 }));
            if (!available) Know(n, hidden: true);
        }

        public async Task DeleteAsync(int n)
        {
            await AcceptedAsync(HttpMethod.Delete, n, null);
            Know(n, hidden: true);
        }

        public async Task AskAsync(int kind, int n)
        {
            (bool Hidden, int Change)[] before = Known();
            var (status, answer) = kind switch
            {
                0 => await api.PostAsync("/v1/search", new { text = $"thing{n}", k = 100 }),
                1 => await api.SendAsync(HttpMethod.Get, $"/v1/items/i{n}/similar?k=100"),
                2 => await api.PostAsync("/v1/recommendations", new { user_id = "nobody", k = 100 }),
                3 => await api.PostAsync("/v1/recommendations", new { user_id = "u", k = 100, exclude_seen = false, explain = true }),
                4 => await api.PostAsync("/v1/recommendations", new { user_id = "nobody", k = 3, explain = true, diversity = 0.5, max_per = new { colour = 1 } }),
                5 => await api.PostAsync("/v1/recommendations", new { user_id = "u", k = 10, exclude_seen = false, explain = true, diversity = 0.5, max_per = new { colour = 1 }, exploration = 0.5 }),
                _ => await api.PostAsync("/v1/recommendations", new { history = new[] { $"i{n}", $"i{(n + 1) % Items}" }, k = 3, explain = true }),
            };
            var after = Known();
            if (kind == 1 && status == HttpStatusCode.NotFound) return;
            Assert.Equal(HttpStatusCode.OK, status);
            bool HiddenThroughout(string id) => Number(id) is var item && before[item].Hidden && before[item].Change == after[item].Change;
            if (kind == 1) Assert.False(HiddenThroughout($"i{n}"), $"i{n} is hidden and has similar items.");
            foreach (var item in answer.GetProperty("items").EnumerateArray())
            {
                string id = item.GetProperty("item_id").GetString()!;
                Assert.False(HiddenThroughout(id), $"{id} is hidden and in an answer of kind {kind}.");
                if (item.TryGetProperty("because", out var because) && because.ValueKind == JsonValueKind.Object)
                    Assert.False(HiddenThroughout(because.GetProperty("item_id").GetString()!), $"A hidden item is named as the reason for {id}.");
            }
        }

        private async Task AcceptedAsync(HttpMethod method, int n, string? body) => Assert.Equal(HttpStatusCode.Accepted, (await api.SendAsync(method, $"/v1/items/i{n}", body)).Status);

        private void Know(int n, bool hidden)
        {
            lock (_lock) _items[n] = (hidden, _items[n].Change + 1);
        }

        private (bool Hidden, int Change)[] Known()
        {
            lock (_lock) return [.. _items];
        }

        private static int Number(string id) => int.Parse(id.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);
    }
}
