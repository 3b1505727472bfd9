using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>What a log that is shared with other readers does to a reader.</summary>
public sealed class SharedLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-shared-log-").FullName;
    private readonly MemoryWindowStore _store = new();
    private readonly ScriptedEventLog _log = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Timeout = 60_000)]
    public async Task Offsets_that_the_log_left_out_are_covered()
    {
        using var host = await StartAsync();
        _log.Deliver(0, true, Message(3, "a"), Message(7, "b"));
        _log.Deliver(0, false, Message(20, "c"));
        await UntilAsync(() => _store.NextOffset(Topics.Interactions, 0) == 21);
        Assert.Equal(["a", "b", "c"], Landed());
        Assert.Equal(0, _store.Segments[0].First);
        await host.StopAsync(Token);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_partition_that_was_away_goes_on_where_the_store_got_to_meanwhile()
    {
        using var host = await StartAsync();
        _log.Deliver(0, true, Message(0, "a"), Message(1, "b"), Message(2, "c"));
        await TakenAsync(host, 3); // not landed: the clock stands still
        Assert.True(_store.TryWriteInteractions(0, 0, 1, [Row(0, "a"), Row(1, "b")])); // by the reader who had the partition
        _log.Deliver(startAt => new LogBatch(0, FromLetter(startAt(0), 5), startsAnew: true));
        await TakenAsync(host, 5); // before the clock closes the segment that the partition left open
        await UntilAsync(() => _store.NextOffset(Topics.Interactions, 0) == 5);
        Assert.Equal(["a", "b", "c", "d", "e"], Landed());
        Assert.Equal(1, _log.Subscriptions);
        await host.StopAsync(Token);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_zombie_whose_partition_went_to_another_reader_writes_nothing()
    {
        using var host = await StartAsync();
        _log.Deliver(0, true, Message(0, "a"), Message(1, "b"), Message(2, "c"));
        await TakenAsync(host, 3);
        Assert.True(_store.TryWriteInteractions(0, 0, 0, [Row(0, "a")]));
        Assert.True(_store.TryWriteInteractions(0, 1, 4, [Row(1, "b"), Row(2, "c"), Row(3, "d"), Row(4, "e")]));
        await UntilAsync(() => _log.Subscriptions == 2); // its segment was refused: it reads again from where the store got to
        Assert.Equal(["a", "b", "c", "d", "e"], Landed());
        _log.Deliver(startAt => new LogBatch(0, FromLetter(startAt(0), 6), startsAnew: true));
        await UntilAsync(() => _store.NextOffset(Topics.Interactions, 0) == 6);
        Assert.Equal(["a", "b", "c", "d", "e", "f"], Landed());
        await host.StopAsync(Token);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_batch_that_fails_half_way_leaves_nothing_behind_for_the_next_attempt()
    {
        using var host = await StartAsync(segmentEvents: 2);
        bool failed = false;
        _store.Before = step =>
        {
            if (step != "write" || failed) return;
            failed = true;
            throw new IOException("a fault");
        };
        _log.Deliver(0, true, Message(0, "a"), Message(1, "poison", poison: true), Message(2, "b"), Message(3, "poison", poison: true), Message(4, "c"));
        await UntilAsync(() => _log.Subscriptions == 2);
        _log.Deliver(startAt => new LogBatch(0, [.. Enumerable.Range((int)startAt(0), 5).Select(n => n % 2 == 1 ? Message(n, "poison", poison: true) : Message(n, $"{(char)('a' + n / 2)}"))], startsAnew: true));
        await UntilAsync(() => _store.NextOffset(Topics.Interactions, 0) == 5);
        await host.StopAsync(Token);
        Assert.Equal(["a", "b", "c"], Landed());
        Assert.Equal(["interactions/0/1", "interactions/0/3"], _log.Appended.Select(letter => Encoding.UTF8.GetString(letter.Key)).Distinct().Order());
        Assert.Equal(["c", "b", "a"], Profile(host).Select(interaction => interaction.Item.Value));
    }

    private IEnumerable<string> Landed() => _store.Interactions.Select(row => row.Item.Value);

    private static IReadOnlyList<ProfileInteraction> Profile(IHost host) => host.Services.GetRequiredService<IProfiles>().GetAsync(new UserId("u"), Token).AsTask().GetAwaiter().GetResult();

    private static LogMessage Message(long offset, string item, bool poison = false) =>
        new(0, offset, 1_769_860_000_000, "u"u8.ToArray(), Encoding.UTF8.GetBytes(poison ? "{" : $$"""{"user_id":"u","item_id":"{{item}}","type":"view","timestamp":{{1_769_860_000_000 + offset}}}"""));

    private static LogMessage[] FromLetter(long first, int end) => [.. Enumerable.Range((int)first, end - (int)first).Select(n => Message(n, $"{(char)('a' + n)}"))];

    private static StoredInteraction Row(long offset, string item) => new(offset, $"interactions/0/{offset}", new UserId("u"), new ItemId(item), "view", null, 1_769_860_000_000 + offset, null);

    private async Task<IHost> StartAsync(int segmentEvents = 1000)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddSingleton<IEventLog>(_log);
        builder.Services.AddSingleton<IWindowStore>(_store);
        builder.Services.AddEmbeddedProfiles(Path.Combine(_folder, "profiles"));
        builder.AddIngest();
        builder.Logging.ClearProviders();
        builder.Services.Configure<IngestOptions>(options => options.SegmentEvents = segmentEvents);
        var host = builder.Build();
        await host.StartAsync(Token);
        return host;
    }

    private static async Task TakenAsync(IHost host, int count)
    {
        while (Profile(host).Count < count) await Task.Yield();
    }

    private async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            Token.ThrowIfCancellationRequested();
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }
}
