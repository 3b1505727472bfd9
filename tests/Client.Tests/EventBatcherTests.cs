namespace BeeFormer.Streaming.Client.Tests;

/// <summary>Nothing lost, nothing doubled, whatever the server does.</summary>
public sealed class EventBatcherTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly EventBatcherOptions Soon = new()
    {
        BatchSize = 10, MaxAge = TimeSpan.FromMilliseconds(5), RetryDelay = TimeSpan.FromMilliseconds(1), MaxRetryDelay = TimeSpan.FromMilliseconds(20), DisposeTimeout = TimeSpan.FromMinutes(3),
    };

    private static BeeFormerClient ClientOf(Shop shop, TimeSpan? attempt = null) =>
        new(new BeeFormerClientOptions { Server = shop.Address, AttemptTimeout = attempt ?? TimeSpan.FromMinutes(2) });

    private static Interaction Event(int n, string type = "view") => new() { EventId = $"e{n}", UserId = "u", ItemId = "i", Type = type };

    private static IEnumerable<string> Ids(int count) => Enumerable.Range(0, count).Select(n => $"e{n}");

    private static async Task AddAsync(EventBatcher events, int count)
    {
        for (int n = 0; n < count; n++) await events.AddAsync(Event(n), Token);
    }

    [Fact]
    public async Task A_full_batch_is_sent_whole_and_in_order()
    {
        await using var shop = await Shop.OpenAsync();
        using var client = ClientOf(shop);
        await using var events = new EventBatcher(client, Soon with { MaxAge = TimeSpan.FromHours(1) });
        await AddAsync(events, 30);
        await Patiently.UntilAsync(() => shop.Taken.Count == 30, () => $"30 events should come; {shop.Taken.Count} did");
        Assert.Equal(Ids(30), shop.Taken);
        Assert.Equal(3, shop.Requests);
    }

    [Fact]
    public async Task A_lone_event_is_sent_when_it_is_old_enough()
    {
        await using var shop = await Shop.OpenAsync();
        using var client = ClientOf(shop);
        await using var events = new EventBatcher(client, Soon);
        await events.AddAsync(Event(0), Token);
        await Patiently.UntilAsync(() => shop.Taken.Count == 1, () => "The event should come");
    }

    [Fact]
    public async Task Flushing_does_not_wait_for_age_and_ends_when_all_are_taken()
    {
        await using var shop = await Shop.OpenAsync();
        using var client = ClientOf(shop);
        await using var events = new EventBatcher(client, Soon with { MaxAge = TimeSpan.FromHours(1) });
        await events.FlushAsync(Token); // nothing to do
        await AddAsync(events, 13);
        await events.FlushAsync(Token);
        Assert.Equal(Ids(13), shop.Taken);
    }

    [Fact]
    public async Task Disposal_sends_the_rest()
    {
        await using var shop = await Shop.OpenAsync();
        using var client = ClientOf(shop);
        var events = new EventBatcher(client, Soon with { MaxAge = TimeSpan.FromHours(1), BatchSize = 4 });
        await AddAsync(events, 10);
        await events.DisposeAsync();
        Assert.Equal(Ids(10), shop.Taken);
        await events.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => events.AddAsync(Event(11), Token).AsTask());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => events.FlushAsync(Token));
    }

    [Fact]
    public async Task Events_get_an_id_and_a_time_when_they_are_added()
    {
        await using var shop = await Shop.OpenAsync();
        var times = new List<string>();
        shop.Accepts = one =>
        {
            times.Add(one.GetProperty("timestamp").GetString()!);
            return true;
        };
        using var client = ClientOf(shop);
        await using (var events = new EventBatcher(client, Soon))
            for (int n = 0; n < 20; n++) await events.AddAsync(Event(n) with { EventId = null }, Token);
        Assert.Equal(20, shop.Distinct.Count);
        Assert.NotEmpty(times);
    }

    [Fact]
    public async Task While_the_server_is_down_the_queue_fills_and_who_adds_waits()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.StopAsync();
        using var client = ClientOf(shop);
        var failed = new TaskCompletionSource();
        await using var events = new EventBatcher(client, Soon with { Capacity = 25, Failing = _ => failed.TrySetResult() });
        await AddAsync(events, 25);
        await failed.Task.WaitAsync(Token);
        var waiting = events.AddAsync(Event(25), Token).AsTask();
        using (var impatient = new CancellationTokenSource())
        {
            var another = events.AddAsync(Event(99), impatient.Token).AsTask();
            Assert.False(another.IsCompleted);
            await impatient.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => another); // and was not added
        }
        Assert.False(waiting.IsCompleted);
        await shop.StartAsync();
        await waiting;
        await events.FlushAsync(Token);
        Assert.Equal(Ids(26), shop.Taken);
    }

    [Fact]
    public async Task A_server_that_restarts_again_and_again_loses_nothing()
    {
        await using var shop = await Shop.OpenAsync();
        using var client = ClientOf(shop);
        await using var events = new EventBatcher(client, Soon with { Capacity = 50 });
        var adding = Task.Run(() => AddAsync(events, 600), Token);
        for (int n = 1; n <= 5; n++)
        {
            await Patiently.UntilAsync(() => shop.Taken.Count >= 100 * n, () => $"{100 * n} events should come; {shop.Taken.Count} did");
            await shop.StopAsync();
            await shop.StartAsync();
        }
        await adding;
        await events.FlushAsync(Token);
        Assert.Equal(Ids(600), shop.Distinct);
    }

    [Fact]
    public async Task Cuts_after_the_server_took_a_batch_double_nothing()
    {
        await using var shop = await Shop.OpenAsync();
        shop.CutAfterTaking().CutAfterTaking().Refuse(200, "{").Refuse(500).CutAfterTaking();
        using var client = ClientOf(shop);
        await using (var events = new EventBatcher(client, Soon with { MaxAge = TimeSpan.FromHours(1) })) await AddAsync(events, 20);
        Assert.Equal(Ids(20), shop.Distinct);
        Assert.Equal(7, shop.Requests);
        Assert.Equal(50, shop.Taken.Count); // three times too often, and each counts once
    }

    [Fact]
    public async Task Busy_full_and_locked_out_are_waited_for_and_told()
    {
        await using var shop = await Shop.OpenAsync();
        shop.Refuse(429, """{"code": "rate_limited", "detail": "Too many requests."}""", "0").Refuse(503, retryAfter: "0").Refuse(401, """{"code": "key_unknown", "detail": "The key is none that this server knows."}""").Refuse(404);
        var told = new List<string>();
        using var client = ClientOf(shop);
        await using (var events = new EventBatcher(client, Soon with { Failing = failure => told.Add(((ProblemException)failure).Code) })) await AddAsync(events, 3);
        Assert.Equal(["rate_limited", "status_503", "key_unknown", "status_404"], told);
        Assert.Equal(Ids(3), shop.Distinct);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up_on_and_asked_again()
    {
        await using var shop = await Shop.OpenAsync();
        shop.Hang().Hang();
        using var client = ClientOf(shop, attempt: TimeSpan.FromSeconds(2));
        await using (var events = new EventBatcher(client, Soon)) await AddAsync(events, 3);
        Assert.Equal(Ids(3), shop.Distinct);
        Assert.True(shop.Requests >= 3);
    }

    [Fact]
    public async Task What_is_refused_is_told_event_by_event_and_the_rest_goes_on()
    {
        await using var shop = await Shop.OpenAsync();
        shop.Accepts = one => one.GetProperty("type").GetString() != "bad";
        var refused = new List<(string, string?)>();
        using var client = ClientOf(shop);
        await using (var events = new EventBatcher(client, Soon with { MaxAge = TimeSpan.FromHours(1), Refused = (one, verdict) => refused.Add((one.EventId!, verdict.Reason)) }))
        {
            for (int n = 0; n < 10; n++) await events.AddAsync(Event(n, n is 3 or 7 ? "bad" : "view"), Token); // some of a batch
            for (int n = 10; n < 20; n++) await events.AddAsync(Event(n, "bad"), Token); // all of it
            await events.AddAsync(Event(20), Token);
        }
        Assert.Equal([("e3", "invalid_field"), ("e7", "invalid_field"), .. Enumerable.Range(10, 10).Select(n => ($"e{n}", "invalid_field"))], refused);
        Assert.Equal(["e0", "e1", "e2", "e4", "e5", "e6", "e8", "e9", "e20"], shop.Taken);
    }

    [Fact]
    public async Task A_batch_that_is_too_large_for_the_server_is_halved()
    {
        await using var shop = await Shop.OpenAsync();
        shop.MaxBatch = 3;
        using var client = ClientOf(shop);
        await using (var events = new EventBatcher(client, Soon)) await AddAsync(events, 25);
        Assert.Equal(Ids(25), shop.Taken);
    }

    [Fact]
    public async Task An_event_that_is_too_large_alone_is_refused_alone()
    {
        await using var shop = await Shop.OpenAsync();
        for (int n = 0; n < 4; n++) shop.Refuse(413, """{"code": "too_large", "detail": "The body is too large."}"""); // 10, 5, 2, 1
        var refused = new List<(string, string?)>();
        using var client = ClientOf(shop);
        await using (var events = new EventBatcher(client, Soon with { MaxAge = TimeSpan.FromHours(1), Refused = (one, verdict) => refused.Add((one.EventId!, verdict.Reason)) })) await AddAsync(events, 10);
        Assert.Equal([("e0", "too_large")], refused);
        Assert.Equal(Ids(10).Skip(1), shop.Taken);
    }

    [Fact]
    public async Task Disposal_during_an_outage_names_what_was_not_accepted()
    {
        await using var shop = await Shop.OpenAsync();
        using var client = ClientOf(shop);
        var events = new EventBatcher(client, Soon with { MaxAge = TimeSpan.FromHours(1), Capacity = 30, DisposeTimeout = TimeSpan.FromMilliseconds(200) });
        await AddAsync(events, 10);
        await events.FlushAsync(Token);
        await shop.StopAsync();
        for (int n = 10; n < 40; n++) await events.AddAsync(Event(n), Token);
        var waiting = events.AddAsync(Event(40), Token).AsTask(); // full
        var flushing = events.FlushAsync(Token);
        var left = await Assert.ThrowsAsync<EventsNotAcceptedException>(() => events.DisposeAsync().AsTask());
        Assert.Equal(Enumerable.Range(10, 30).Select(n => $"e{n}"), left.Events.Select(one => one.EventId));
        Assert.Contains("30 events were not accepted, the first one e10", left.Message, StringComparison.Ordinal);
        Assert.IsType<NoAnswerException>(left.InnerException);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        Assert.Same(left, await Assert.ThrowsAsync<EventsNotAcceptedException>(() => flushing));

        await shop.StartAsync();
        await client.SendEventsAsync(left.Events, Token); // what was kept goes later
        Assert.Equal(Ids(40), shop.Distinct);
    }

    [Fact]
    public async Task Disposal_waits_for_a_server_that_hangs_no_longer_than_it_may()
    {
        await using var shop = await Shop.OpenAsync();
        shop.Hang();
        using var client = ClientOf(shop);
        var events = new EventBatcher(client, Soon with { DisposeTimeout = TimeSpan.FromMilliseconds(200) });
        await events.AddAsync(Event(0), Token);
        await Patiently.UntilAsync(() => shop.Requests == 1, () => "The event should be sent");
        Assert.Equal("e0", Assert.Single((await Assert.ThrowsAsync<EventsNotAcceptedException>(() => events.DisposeAsync().AsTask())).Events).EventId);
    }

    [Fact]
    public async Task A_callback_that_throws_ends_the_batcher_aloud()
    {
        await using var shop = await Shop.OpenAsync();
        shop.Accepts = _ => false;
        using var client = ClientOf(shop);
        var events = new EventBatcher(client, Soon with { MaxAge = TimeSpan.FromHours(1), Refused = (_, _) => throw new InvalidOperationException("of the shop") });
        await events.AddAsync(Event(0), Token);
        await Assert.ThrowsAsync<EventsNotAcceptedException>(() => events.FlushAsync(Token));
        Assert.Contains("of the shop", (await Assert.ThrowsAsync<ObjectDisposedException>(() => events.AddAsync(Event(1), Token).AsTask())).Message, StringComparison.Ordinal);
        Assert.IsType<InvalidOperationException>((await Assert.ThrowsAsync<EventsNotAcceptedException>(() => events.DisposeAsync().AsTask())).InnerException);
    }

    [Fact]
    public async Task Many_threads_may_add()
    {
        await using var shop = await Shop.OpenAsync();
        using var client = ClientOf(shop);
        await using (var events = new EventBatcher(client, Soon with { Capacity = 7 }))
            await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(async () =>
            {
                for (int n = 0; n < 50; n++) await events.AddAsync(Event(50 * thread + n), Token);
            }, Token)));
        Assert.Equal(Ids(400).Order(StringComparer.Ordinal), shop.Taken.Order(StringComparer.Ordinal));
    }
}
