using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Embedded;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Ingest.Tests;

public sealed class IngestTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-ingest-").FullName;
    private readonly MemoryWindowStore _store = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private IHost Host(int segmentEvents = 10, IWindowStore? store = null, Func<IProfiles, IProfiles>? wrap = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddEmbeddedEventLog(Path.Combine(_folder, "log"), new EmbeddedEventLogOptions { MaxRecordBytes = 65536 });
        builder.Services.AddSingleton(store ?? _store);
        if (wrap is null) builder.Services.AddEmbeddedProfiles(Path.Combine(_folder, "profiles"));
        else builder.Services.AddSingleton(_ => wrap(new ServiceCollection().AddSingleton<TimeProvider>(_time).AddEmbeddedProfiles(Path.Combine(_folder, "profiles")).BuildServiceProvider().GetRequiredService<IProfiles>()));
        builder.AddIngest();
        builder.Logging.ClearProviders();
        builder.Services.Configure<IngestOptions>(options => options.SegmentEvents = segmentEvents);
        return builder.Build();
    }

    private static LogRecord By(string user, string item, string? eventId = null) =>
        InteractionJson.Record(new InteractionEvent(eventId, new UserId(user), new ItemId(item), "view", null, 1_769_860_000_000, null));

    private static LogRecord Raw(string key, string? value) => new(Encoding.UTF8.GetBytes(key), value is null ? null : Encoding.UTF8.GetBytes(value));

    private static IEventLog Log(IHost host) => host.Services.GetRequiredService<IEventLog>();

    // Moves the clock on (deadlines, retries) until the condition holds; the test's own timeout ends a wait in vain.
    private async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            Token.ThrowIfCancellationRequested();
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }

    private static async Task<List<DeadLetter>> DeadLettersAsync(IEventLog log)
    {
        var letters = new List<DeadLetter>();
        long end = await log.EndOffsetAsync(Topics.DeadLetters, 0, Token);
        await using var subscription = log.Subscribe(Topics.DeadLetters, "test", _ => 0);
        while (letters.Count < end)
            foreach (var message in await subscription.ReadAsync(100, Token))
            {
                Assert.True(DeadLetterJson.TryRead(message.Value!.Value, out var letter));
                letters.Add(letter);
            }
        return letters;
    }

    [Fact(Timeout = 60_000)]
    public async Task Segments_close_by_count_with_the_clock_standing_still()
    {
        using var host = Host(segmentEvents: 4);
        await Log(host).AppendAsync(Topics.Interactions, [.. Enumerable.Range(0, 10).Select(n => By("u", $"i{n}"))], Token);
        var two = new TaskCompletionSource();
        _store.Written = () => { if (_store.Segments.Count == 2) two.TrySetResult(); };
        await host.StartAsync(Token);
        await two.Task.WaitAsync(Token);
        Assert.Equal([(Topics.Interactions, 0L, 3L), (Topics.Interactions, 4, 7)], _store.Segments);
        await host.StopAsync(Token);
        Assert.Equal((Topics.Interactions, 8L, 9L), _store.Segments[2]); // a clean stop closes what is open
        Assert.Equal(Enumerable.Range(0, 10).Select(n => $"interactions/0/{n}"), _store.Interactions.Select(row => row.EventId));
    }

    [Fact(Timeout = 60_000)]
    public async Task Segments_close_by_age_and_profiles_do_not_wait_for_that()
    {
        using var host = Host(segmentEvents: 1000);
        await host.StartAsync(Token);
        await Log(host).AppendAsync(Topics.Interactions, [By("u", "i")], Token);
        var profiles = host.Services.GetRequiredService<IProfiles>();
        while ((await profiles.GetAsync(new UserId("u"), Token)).Count == 0) await Task.Yield();
        Assert.Empty(_store.Segments);
        await UntilAsync(() => _store.Interactions.Count == 1);
        await host.StopAsync(Token);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_poison_event_becomes_a_dead_letter_and_the_rest_goes_on()
    {
        using var host = Host(segmentEvents: 1000);
        string huge = new('x', 65_000);
        await Log(host).AppendAsync(Topics.Interactions, [By("u", "a"), Raw("u", "{"), By("u", "b"), Raw("v", """{"user_id":"u","item_id":"i","type":"view"}"""), Raw("u", huge), new LogRecord([0xFF], null)], Token);
        await Log(host).AppendAsync(Topics.Items, [Raw("i", """{"item_id":"i"}"""), Raw("i", """{"item_id":"i","title":"T"}"""), Raw("i", null)], Token);
        await host.StartAsync(Token);
        await UntilAsync(() => _store.NextOffset(Topics.Interactions, 0) == 6 && _store.NextOffset(Topics.Items, 0) == 3);
        Assert.Equal(["a", "b"], _store.Interactions.Select(row => row.Item.Value));
        Assert.Equal([(1L, "T"), (2, null)], _store.Items.Select(row => (row.Offset, row.Event?.Title)));
        var letters = await DeadLettersAsync(Log(host));
        Assert.Equal(["interactions/0/1 invalid_json", "interactions/0/3 key_mismatch", "interactions/0/4 invalid_json", "interactions/0/5 invalid_field", "items/0/0 missing_field"],
            letters.Select(letter => $"{DeadLetterJson.Identity(letter)} {letter.Reason}").Order());
        Assert.Equal(huge, Encoding.UTF8.GetString(letters.Single(letter => letter is { Topic: Topics.Interactions, Offset: 4 }).Value!));
        await host.StopAsync(Token);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_forgotten_user_leaves_what_landed_and_what_is_open()
    {
        using var host = Host(segmentEvents: 3);
        await Log(host).AppendAsync(Topics.Interactions, [By("u", "landed"), By("v", "kept"), By("u", "landed too"), By("u", "open"), Raw("u", null), By("u", "again"), By("v", "more")], Token);
        await host.StartAsync(Token);
        await UntilAsync(() => _store.NextOffset(Topics.Interactions, 0) == 7);
        Assert.Equal(["kept", "again", "more"], _store.Interactions.Select(row => row.Item.Value));
        Assert.Equal("again", Assert.Single(await host.Services.GetRequiredService<IProfiles>().GetAsync(new UserId("u"), Token)).Item.Value);
        await host.StopAsync(Token);
    }

    [Fact(Timeout = 60_000)]
    public async Task Positions_are_committed_for_monitoring_after_segments_are_durable()
    {
        using var host = Host(segmentEvents: 2);
        await Log(host).AppendAsync(Topics.Interactions, [By("u", "a"), By("u", "b"), By("u", "c")], Token);
        await host.StartAsync(Token);
        await UntilAsync(() => _store.NextOffset(Topics.Interactions, 0) == 3);
        await host.StopAsync(Token);
        Assert.Equal(3, await Log(host).CommittedAsync(Topics.Interactions, "ingest", 0, Token));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_full_disk_is_waited_out_and_visible()
    {
        using var host = Host(segmentEvents: 2);
        int refusals = 0;
        _store.Before = step => { if (step == "write" && refusals++ < 6) throw new IOException("No space left on device"); };
        await Log(host).AppendAsync(Topics.Interactions, [By("u", "a"), By("u", "b")], Token);
        await host.StartAsync(Token);
        var health = host.Services.GetRequiredService<HealthCheckService>();
        var states = new HashSet<HealthStatus>();
        while (_store.Interactions.Count < 2)
        {
            states.Add((await health.CheckHealthAsync(Token)).Status);
            _time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }
        await UntilAsync(() => health.CheckHealthAsync(Token).GetAwaiter().GetResult().Status == HealthStatus.Healthy);
        Assert.Contains(HealthStatus.Degraded, states);
        Assert.Contains(HealthStatus.Unhealthy, states);
        await host.StopAsync(Token);
        Assert.Equal(["a", "b"], _store.Interactions.Select(row => row.Item.Value));
    }

    [Fact(Timeout = 60_000)]
    public async Task Another_writers_segment_wins_and_nothing_lands_twice()
    {
        using var host = Host(segmentEvents: 4);
        bool stolen = false;
        _store.Before = step =>
        {
            if (step != "write" || stolen) return;
            stolen = true;
            _store.TryWriteInteractions(0, 0, 1, [Row(0, "a"), Row(1, "b")]);
        };
        await Log(host).AppendAsync(Topics.Interactions, [.. "abcdef".Select(c => By("u", $"{c}"))], Token);
        await host.StartAsync(Token);
        await UntilAsync(() => _store.NextOffset(Topics.Interactions, 0) == 6);
        await host.StopAsync(Token);
        Assert.Equal(["a", "b", "c", "d", "e", "f"], _store.Interactions.Select(row => row.Item.Value));
    }

    private static StoredInteraction Row(long offset, string item) => new(offset, $"interactions/0/{offset}", new UserId("u"), new ItemId(item), "view", null, 1_769_860_000_000, null);

    [Fact(Timeout = 60_000)]
    public async Task What_another_attempt_cannot_mend_stops_the_host()
    {
        using var host = Host(segmentEvents: 1);
        _store.Before = _ => throw new InvalidDataException("the store is damaged");
        await Log(host).AppendAsync(Topics.Interactions, [By("u", "a")], Token);
        await host.StartAsync(Token);
        var stopping = new TaskCompletionSource();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);
        await stopping.Task.WaitAsync(Token);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_batch_that_is_posted_three_times_counts_once()
    {
        string windows = Path.Combine(_folder, "windows");
        using var host = Host(segmentEvents: 7, store: new ParquetWindowStore(windows));
        LogRecord[] batch = [.. Enumerable.Range(0, 10).Select(n => By("u", $"i{n}", $"e{n}"))];
        for (int post = 0; post < 3; post++) await Log(host).AppendAsync(Topics.Interactions, batch, Token);
        await host.StartAsync(Token);
        var store = host.Services.GetRequiredService<IWindowStore>();
        await UntilAsync(() => store.NextOffset(Topics.Interactions, 0) == 30);
        await host.StopAsync(Token);
        Assert.Equal(10, store.Read(new WindowQuery()).Count);
        Assert.Equal(10, store.Describe().Interactions);
        Assert.Equal(10, (await host.Services.GetRequiredService<IProfiles>().GetAsync(new UserId("u"), Token)).Count);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0, 12, 100)]
    [InlineData(1, 12, 100)]
    [InlineData(1, 14, 2)] // in more segments than before, and what comes after goes on
    [InlineData(3, 14, 100)]
    public async Task A_segment_that_is_gone_lands_again_from_the_log(int lost, int sent, int segmentEvents)
    {
        string windows = Path.Combine(_folder, "windows");
        using (var host = Host(segmentEvents: 3, store: new ParquetWindowStore(windows)))
        {
            await Log(host).AppendAsync(Topics.Interactions, [.. Enumerable.Range(0, 12).Select(n => By("u", $"i{n}"))], Token);
            await host.StartAsync(Token);
            var store = host.Services.GetRequiredService<IWindowStore>();
            await UntilAsync(() => store.NextOffset(Topics.Interactions, 0) == 12);
            await host.StopAsync(Token);
        }
        var segments = Directory.GetFiles(Path.Combine(windows, "interactions", "p=0"), "*.parquet").Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(4, segments.Length);
        File.Delete(segments[lost]); // damaged, say, and taken away
        using (var host = Host(segmentEvents, store: new ParquetWindowStore(windows)))
        {
            await Log(host).AppendAsync(Topics.Interactions, [.. Enumerable.Range(12, sent - 12).Select(n => By("u", $"i{n}"))], Token);
            await host.StartAsync(Token);
            var store = host.Services.GetRequiredService<IWindowStore>();
            await UntilAsync(() => store.NextOffset(Topics.Interactions, 0) == sent);
            await host.StopAsync(Token);
        }
        // Below the oldest segment everything counts as landed: retention takes the oldest ones away.
        Assert.Equal(Enumerable.Range(lost == 0 ? 3 : 0, lost == 0 ? sent - 3 : sent).Select(n => ((long)n, $"i{n}")), LandedRows.Read(windows).Select(row => (row.Offset, row.Item)));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_clock_that_jumps_back_neither_loses_nor_holds_up_events()
    {
        using var host = Host(segmentEvents: 1000);
        await host.StartAsync(Token);
        await Log(host).AppendAsync(Topics.Interactions, [By("u", "before")], Token);
        await UntilAsync(() => _store.Interactions.Count == 1);
        _time.AdjustTime(_time.GetUtcNow() - TimeSpan.FromDays(30));
        await Log(host).AppendAsync(Topics.Interactions, [By("u", "after"), Raw("u", """{"user_id":"u","item_id":"now","type":"view"}""")], Token);
        await UntilAsync(() => _store.Interactions.Count + (int)Log(host).EndOffsetAsync(Topics.DeadLetters, 0, Token).AsTask().GetAwaiter().GetResult() == 3);
        await host.StopAsync(Token);
        // What a producer stamped with the time before the jump lies in the future of the log's clock now: kept as a dead letter, with its bytes.
        Assert.Equal(["before", "now"], _store.Interactions.Select(row => row.Item.Value));
        Assert.Equal("future_timestamp", Assert.Single(await DeadLettersAsync(Log(host))).Reason);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Faults_at_every_step_and_restarts_lose_nothing_and_double_nothing(int seed)
    {
        var random = new Random(seed);
        var gate = new Lock();
        _store.Before = step => { lock (gate) if (random.Next(4) == 0) throw new IOException($"fault at {step}"); };
        var expected = new List<string>();
        int sent = 0;
        for (int process = 0; process < 6; process++)
        {
            using var host = Host(segmentEvents: 7, wrap: profiles => new FailingProfiles(profiles, () => { lock (gate) return random.Next(6) == 0; }));
            await host.StartAsync(Token);
            for (int batch = 0; batch < 5; batch++)
            {
                var records = Enumerable.Range(0, 20).Select(_ => ++sent).Select(n => n % 11 == 0 ? Raw($"u{n % 5}", "poison") : By($"u{n % 5}", $"{n}")).ToArray();
                expected.AddRange(Enumerable.Range(sent - 19, 20).Where(n => n % 11 != 0).Select(n => $"{n}"));
                await Log(host).AppendAsync(Topics.Interactions, records, Token);
            }
            long enough = random.Next(Math.Max(1, sent - 60), sent + 1); // stopped in the middle, the last time at the end
            await UntilAsync(() => _store.NextOffset(Topics.Interactions, 0) >= (process == 5 ? sent : enough));
            try
            {
                await host.StopAsync(Token);
            }
            catch (Exception e) when (e is IOException or AggregateException)
            {
                // A stop whose last flush failed: the log is read again.
            }
        }
        Assert.Equal(expected, _store.Interactions.Select(row => row.Item.Value));
        using var last = Host(segmentEvents: 7);
        var poison = Enumerable.Range(1, sent).Where(n => n % 11 == 0).Select(n => $"interactions/0/{n - 1}");
        Assert.Equal(poison.Order(), (await DeadLettersAsync(Log(last))).Select(DeadLetterJson.Identity).Distinct().Order());
        _store.Before = _ => { };
        await last.StartAsync(Token);
        var found = last.Services.GetRequiredService<IProfiles>();
        for (int u = 0; u < 5; u++)
        {
            var items = expected.Where(n => int.Parse(n) % 5 == u).Reverse().Take(200).ToArray();
            IReadOnlyList<ProfileInteraction> profile;
            do
            {
                await Task.Yield();
                profile = await found.GetAsync(new UserId($"u{u}"), Token);
            }
            while (profile.Count < items.Length || profile[0].Item.Value != items[0]);
            Assert.Equal(items, profile.Select(i => i.Item.Value));
        }
        await last.StopAsync(Token);
    }

    private sealed class FailingProfiles(IProfiles inner, Func<bool> fails) : IProfiles
    {
        public long NextOffset(int partition) => inner.NextOffset(partition);

        public async ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken)
        {
            if (fails()) throw new IOException("fault before applying");
            await inner.ApplyAsync(partition, nextOffset, changes, cancellationToken);
            if (fails()) throw new IOException("fault after applying");
        }

        public ValueTask<IReadOnlyList<ProfileInteraction>> GetAsync(UserId user, CancellationToken cancellationToken) => inner.GetAsync(user, cancellationToken);

        public ValueTask FlushAsync(CancellationToken cancellationToken) => fails() ? throw new IOException("fault at flush") : inner.FlushAsync(cancellationToken);
    }
}
