using System.Collections.Concurrent;
using System.Text;
using BeeFormer.Streaming.EventLog.Kafka;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

/// <summary>What happens to appends and readers when the broker dies; each test has the class's broker to itself.</summary>
public sealed class KafkaFaultTests(KafkaBroker broker) : IClassFixture<KafkaBroker>, IAsyncLifetime
{
    private readonly KafkaLogs _logs = new(broker.Address);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static LogRecord Rec(string key, int value) => new(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes($"{value}"));

    private static string Text(LogMessage message) => Encoding.UTF8.GetString(message.Value!.Value.Span);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _logs.DisposeAsync();

    [Fact]
    public async Task What_was_acknowledged_survives_a_killed_broker_and_comes_once()
    {
        const int Partitions = 3;
        var log = _logs.Open(_logs.Options(Partitions) with { AppendTimeout = TimeSpan.FromMinutes(5), RequestTimeout = TimeSpan.FromMinutes(5) }); // no time limit here: machines differ
        await log.PartitionsAsync("interactions", Token);
        var acknowledged = new ConcurrentDictionary<LogPosition, string>();
        using var stop = new CancellationTokenSource();
        var appending = Task.Run(async () =>
        {
            for (int n = 0; !stop.IsCancellationRequested; n += 50)
            {
                LogRecord[] records = [.. Enumerable.Range(n, 50).Select(i => Rec($"user-{i % 31}", i))];
                foreach (var (record, position) in records.Zip(await log.AppendAsync("interactions", records, Token))) Assert.True(acknowledged.TryAdd(position, Encoding.UTF8.GetString(record.Value!)));
            }
        }, Token);
        var readers = new[] { PartitionSharing.None, PartitionSharing.Group }.Select(sharing =>
        {
            // A group may lose its members with its coordinator: then each is asked again where it is.
            var seen = new Dictionary<LogPosition, string>();
            return (Subscription: log.Subscribe("interactions", $"{sharing}", p => NextOf(seen, p), sharing), Seen: seen);
        }).ToArray();

        for (int round = 1; round <= 2; round++)
        {
            int before = acknowledged.Count;
            await UntilAsync(before + 1000);
            foreach (var reader in readers) await ReadAsync(reader.Subscription, reader.Seen, before + 500);
            await broker.KillAsync();
            await broker.StartAsync();
        }
        await UntilAsync(acknowledged.Count + 1000);
        await stop.CancelAsync();
        await appending;

        foreach (var reader in readers)
        {
            await ReadAsync(reader.Subscription, reader.Seen, acknowledged.Count);
            Assert.Equal(acknowledged.OrderBy(of => of.Key.Partition).ThenBy(of => of.Key.Offset), reader.Seen.OrderBy(of => of.Key.Partition).ThenBy(of => of.Key.Offset));
            await reader.Subscription.DisposeAsync();
        }
        Assert.Equal(acknowledged.Count, acknowledged.Values.Distinct().Count());

        // From any position the same again.
        var ends = Enumerable.Range(0, Partitions).Select(p => acknowledged.Keys.Where(of => of.Partition == p).Max(of => of.Offset) + 1).ToArray();
        await using var again = log.Subscribe("interactions", "again", p => ends[p] / 2);
        var half = new Dictionary<LogPosition, string>();
        await ReadAsync(again, half, ends.Sum(end => (int)(end - end / 2)));
        Assert.All(half, of => Assert.Equal(acknowledged[of.Key], of.Value));

        async Task UntilAsync(int count)
        {
            using var watcher = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (acknowledged.Count < count)
            {
                if (appending.IsCompleted) await appending; // which says why
                await watcher.WaitForNextTickAsync(Token);
            }
        }
    }

    /// <summary>
    /// A broker that was silent for longer than its session is put out of the cluster and comes back: for a moment its partitions have no leader and no replica in sync. Not every round hits that moment; the admin
    /// client's description of topics did not outlive the ones that did, nor did the process.
    /// </summary>
    [Fact]
    public async Task Questions_about_topics_outlive_a_broker_that_was_put_out()
    {
        var log = _logs.Open(_logs.Options(3) with { RequestTimeout = TimeSpan.FromSeconds(2) });
        await UntilDoneAsync(() => log.AppendAsync("interactions", [Rec("u", 0)], Token));
        for (int round = 0; round < 4; round++)
        {
            broker.Pause();
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
            var asking = Task.Run(async () =>
            {
                while (!stop.IsCancellationRequested) Assert.Equal(3, await UntilDoneAsync(() => log.PartitionsAsync("interactions", Token)));
            }, Token);
            await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System, Token); // so long is it silent; its session is 3 s
            broker.Resume();
            for (int n = 0; n < 200; n++) Assert.Equal(3, await UntilDoneAsync(() => log.PartitionsAsync("interactions", Token)));
            await stop.CancelAsync();
            await asking;
        }
        long messages = 0;
        for (int partition = 0; partition < 3; partition++) messages += await UntilDoneAsync(() => log.EndOffsetAsync("interactions", partition, Token));
        Assert.Equal(1, messages);
    }

    [Fact]
    public Task Appends_fail_within_their_limit_while_the_broker_is_down_and_then_go_on() => BrokerIsDownAsync(failures: 2);

    [Fact(Explicit = true)]
    public Task A_minute_without_the_broker_changes_nothing() => BrokerIsDownAsync(failures: 30);

    // Each failure takes the two seconds that an append may.
    private async Task BrokerIsDownAsync(int failures)
    {
        var log = _logs.Open(_logs.Options() with { AppendTimeout = TimeSpan.FromSeconds(2), RequestTimeout = TimeSpan.FromSeconds(20) });
        await _logs.Open(_logs.Options()).AppendAsync("interactions", [Rec("u", 0)], Token); // once: it has time
        await UntilDoneAsync(() => log.AppendAsync("interactions", [Rec("u", 0)], Token));
        long next = 0;
        await using var subscription = log.Subscribe("interactions", "test", _ => next, PartitionSharing.Group);
        Assert.Equal("0", Text((await subscription.ReadAsync(1, Token))[0]));
        next = 1;
        var hasty = _logs.Open(_logs.Options() with { RequestTimeout = TimeSpan.FromSeconds(1) });
        await UntilDoneAsync(() => hasty.PartitionsAsync("interactions", Token));

        await broker.StopAsync();
        await using var late = hasty.Subscribe("interactions", "late", _ => 0);
        try
        {
            for (int n = 0; n < failures; n++)
            {
                var failed = await Assert.ThrowsAsync<IOException>(() => log.AppendAsync("interactions", [Rec("u", 1)], Token).AsTask());
                Assert.Contains($"topic {_logs.Name("interactions")}: 1 of 1 records were not acknowledged", failed.Message);
                await Assert.ThrowsAsync<IOException>(() => late.ReadAsync(1, Token).AsTask()); // and again, as any reader that is not to give up
            }
        }
        finally
        {
            await broker.StartAsync();
        }

        var positions = await UntilDoneAsync(() => log.AppendAsync("interactions", [Rec("u", 2)], Token));
        Assert.Equal("0", Text((await UntilDoneAsync(() => late.ReadAsync(1, Token)))[0]));
        var read = new List<LogMessage>();
        while (read.LastOrDefault().Offset < positions[0].Offset) read.AddRange(await subscription.ReadAsync(10, Token));
        Assert.Equal("2", Text(read[^1]));
        Assert.Equal(read.Select(message => message.Offset), Enumerable.Range(1, read.Count).Select(n => (long)n));
        await subscription.CommitAsync(0, read[^1].Offset + 1, Token);
        Assert.Equal(read[^1].Offset + 1, await log.CommittedAsync("interactions", "test", 0, Token));
    }

    // As any caller: again. The broker may take longer to lead its partitions than a request may last.
    private static async Task<T> UntilDoneAsync<T>(Func<ValueTask<T>> attempt)
    {
        while (true)
        {
            try
            {
                return await attempt();
            }
            catch (IOException)
            {
            }
        }
    }

    [Fact]
    public async Task A_log_without_a_broker_says_so_and_closes()
    {
        var log = _logs.Open(new KafkaOptions { BootstrapServers = "127.0.0.1:9", RequestTimeout = TimeSpan.FromSeconds(1) });
        Assert.Contains("Kafka at 127.0.0.1:9: whether topic items exists: ", (await Assert.ThrowsAsync<IOException>(() => log.PartitionsAsync("items", Token).AsTask())).Message);
        await using var subscription = log.Subscribe("items", "test", _ => 0, PartitionSharing.Group);
        await Assert.ThrowsAsync<IOException>(() => subscription.ReadAsync(1, Token).AsTask());
    }

    // The client's thread asks while the test reads.
    private static long NextOf(Dictionary<LogPosition, string> seen, int partition)
    {
        lock (seen) return seen.Keys.Count(of => of.Partition == partition);
    }

    private static async Task ReadAsync(ILogSubscription subscription, Dictionary<LogPosition, string> seen, int count)
    {
        while (seen.Count < count)
        {
            using var batch = await subscription.ReadAsync(500, Token);
            lock (seen)
                foreach (var message in batch)
                    seen.Add(new LogPosition(message.Partition, message.Offset), Text(message));
        }
    }
}
