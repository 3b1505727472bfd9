using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Tests.Kafka;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>Several instances of the service on one Kafka and one store, as a shop that outgrew one machine runs them.</summary>
public sealed class KafkaIngestTests(KafkaBroker broker) : IClassFixture<KafkaBroker>, IDisposable
{
    private const int Partitions = 4;
    private const int BatchEvents = 100;

    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-kafka-ingest-").FullName;
    private readonly string _prefix = $"i{Guid.NewGuid():N}-";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Timeout = 600_000)]
    public async Task Instances_that_join_and_leave_while_events_flow_land_each_once()
    {
        using var first = await StartAsync();
        using var stopSending = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var sending = Task.Run(() => SendUntilAsync(Log(first), Landed, stopSending.Token), Token);
        for (int guest = 0; guest < 10; guest++) // ten come and ten go: 20 times the partitions are divided anew
        {
            var joined = await StartAsync();
            long before = Landed();
            await UntilAsync(() => Landed() >= before + 3 * BatchEvents);
            await joined.StopAsync(Token);
            joined.Dispose();
        }
        await stopSending.CancelAsync();
        int sent = await sending;
        await UntilAsync(() => Landed() >= sent);
        await first.StopAsync(Token);

        var rows = LandedRows.Read(Path.Combine(_folder, "windows"));
        Assert.Equal(Enumerable.Range(0, sent).Select(n => $"i{n}").Order(StringComparer.Ordinal), rows.Select(row => row.Item).Order(StringComparer.Ordinal));
        Assert.Equal(rows.Count, rows.Select(row => (row.Partition, row.Offset)).Distinct().Count());
    }

    [Fact(Timeout = 600_000)]
    public async Task A_broker_that_is_killed_and_started_again_costs_no_event_and_doubles_none()
    {
        using var host = await StartAsync();
        using var stopSending = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var sending = Task.Run(() => SendUntilAsync(Log(host), Landed, stopSending.Token), Token);
        await UntilAsync(() => Landed() >= 5 * BatchEvents);
        await broker.KillAsync();
        await broker.StartAsync();
        long before = Landed();
        await UntilAsync(() => Landed() >= before + 5 * BatchEvents);
        await stopSending.CancelAsync();
        int sent = await sending;
        var windows = host.Services.GetRequiredService<IWindowStore>();
        await UntilAsync(() => windows.Describe().Interactions >= sent);
        await host.StopAsync(Token);

        // A batch that was sent again because the broker's answer was lost may lie in the log twice; its events have their ids and count once.
        var window = windows.Read(new WindowQuery());
        Assert.Equal(sent, window.Count);
        Assert.Equal(Enumerable.Range(0, sent).Select(n => $"i{n}").Order(StringComparer.Ordinal), window.Items.Select(item => item.Value));
    }

    /// <param name="landed">No more than some thousands are ahead of it: what a slow disk has not written when the sending stops is waited for.</param>
    /// <returns>Events sent: items <c>i0</c>, <c>i1</c> and so on.</returns>
    private static async Task<int> SendUntilAsync(IEventLog log, Func<long> landed, CancellationToken stop)
    {
        int sent = 0;
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!stop.IsCancellationRequested)
        {
            LogRecord[] batch = [.. Enumerable.Range(sent, BatchEvents).Select(n => new LogRecord(
                Encoding.UTF8.GetBytes($"u{n % 50}"), Encoding.UTF8.GetBytes($$"""{"event_id":"e{{n}}","user_id":"u{{n % 50}}","item_id":"i{{n}}","type":"view"}""")))];
            while (true)
            {
                try
                {
                    await log.AppendAsync(Topics.Interactions, batch, Token);
                    break;
                }
                catch (IOException)
                {
                    // The broker is away: the same again.
                }
            }
            sent += BatchEvents;
            do await pace.WaitForNextTickAsync(Token);
            while (!stop.IsCancellationRequested && sent > landed() + 5_000);
        }
        return sent;
    }

    private long Landed()
    {
        var store = new ParquetWindowStore(Path.Combine(_folder, "windows"));
        return Enumerable.Range(0, Partitions).Sum(partition => store.NextOffset(Topics.Interactions, partition));
    }

    private static IEventLog Log(IHost host) => host.Services.GetRequiredService<IEventLog>();

    private async Task<IHost> StartAsync()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Kafka:BootstrapServers"] = broker.Address,
            ["Kafka:TopicPrefix"] = _prefix,
            ["Kafka:Topics:interactions:Partitions"] = $"{Partitions}",
            ["Kafka:AppendTimeout"] = "00:00:20",
            ["Kafka:GroupProtocol"] = "consumer", // divides partitions anew in a second, where the classic one takes some
            ["Kafka:Client:reconnect.backoff.max.ms"] = "500",
        });
        builder.Services.AddLogging();
        builder.Services.AddKafkaEventLog(builder.Configuration);
        builder.Services.AddSingleton<IProfiles, NoProfiles>();
        builder.Services.AddWindowStore(Path.Combine(_folder, "windows"));
        builder.AddIngest();
        builder.Logging.ClearProviders();
        builder.Services.Configure<IngestOptions>(options => (options.SegmentEvents, options.SegmentAge, options.RetryDelay) = (200, TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(50)));
        var host = builder.Build();
        await host.StartAsync(Token);
        return host;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!condition()) await timer.WaitForNextTickAsync(Token);
    }

    /// <summary>Instances share the profiles of a Redis; what is tested here are segments.</summary>
    private sealed class NoProfiles : IProfiles
    {
        public long NextOffset(int partition) => long.MaxValue;
        public ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken) => ValueTask.CompletedTask;
        public ValueTask<IReadOnlyList<ProfileInteraction>> GetAsync(UserId user, CancellationToken cancellationToken) => new([]);
        public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
