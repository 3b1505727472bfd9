using System.Text;
using BeeFormer.Streaming.EventLog.Kafka;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

[Collection(KafkaCollection.Name)]
public sealed class KafkaGroupTests(KafkaBroker broker) : IAsyncLifetime
{
    private const int Partitions = 6;

    private readonly KafkaLogs _logs = new(broker.Address);
    private readonly LandedSegments _landed = new();
    private int _batchesOfTheGuest;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _logs.DisposeAsync();

    [Theory]
    [InlineData("classic")]
    [InlineData("consumer")]
    public async Task Readers_that_come_and_go_lose_and_double_nothing(string protocol)
    {
        var options = _logs.Options(Partitions) with { GroupProtocol = protocol };
        if (protocol == "consumer") options = options with { Client = [] }; // the broker's settings hold
        var log = _logs.Open(options);
        await log.PartitionsAsync("interactions", Token);

        using var producing = new CancellationTokenSource();
        var appending = Task.Run(() => AppendAsync(log, producing.Token), Token);
        using var staying = new CancellationTokenSource();
        var resident = Task.Run(() => LandAsync(log, () => { }, staying.Token), Token);
        for (int turn = 0; turn < 10; turn++)
        {
            using var visiting = new CancellationTokenSource();
            int before = _batchesOfTheGuest;
            await Task.Run(() => LandAsync(log, () => { if (Interlocked.Increment(ref _batchesOfTheGuest) > before + turn % 3) visiting.Cancel(); }, visiting.Token), Token);
        }
        await producing.CancelAsync();
        var appended = await appending;
        using var watcher = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (Enumerable.Range(0, Partitions).Any(p => _landed.Next(p) < appended[p].Count)) await watcher.WaitForNextTickAsync(Token);
        await staying.CancelAsync();
        await resident;

        for (int p = 0; p < Partitions; p++) Assert.Equal(appended[p], _landed.Values(p));
        Assert.True(appended.Sum(of => of.Count) > 1000);
    }

    /// <summary>What each partition got, in its order.</summary>
    private static async Task<List<string>[]> AppendAsync(KafkaEventLog log, CancellationToken stop)
    {
        var appended = Enumerable.Range(0, Partitions).Select(_ => new List<string>()).ToArray();
        for (int n = 0; !stop.IsCancellationRequested; n += 20)
        {
            LogRecord[] records = [.. Enumerable.Range(n, 20).Select(i => new LogRecord(Encoding.UTF8.GetBytes($"user-{i % 97}"), Encoding.UTF8.GetBytes($"{i}")))];
            var positions = await log.AppendAsync("interactions", records, Token);
            foreach (var (record, position) in records.Zip(positions))
            {
                Assert.Equal(appended[position.Partition].Count, position.Offset);
                appended[position.Partition].Add(Encoding.UTF8.GetString(record.Value!));
            }
        }
        return appended;
    }

    /// <summary>As Ingest does it: whoever is told that another was first drops all that it remembers and subscribes again.</summary>
    private async Task LandAsync(KafkaEventLog log, Action landed, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await using var subscription = log.Subscribe("interactions", "ingest", _landed.Next, PartitionSharing.Group);
            var next = new Dictionary<int, long>();
            while (true)
            {
                LogBatch batch;
                try
                {
                    batch = await subscription.ReadAsync(100, stop);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
                using (batch)
                {
                    int partition = batch.Partition;
                    if (batch.StartsAnew) next[partition] = batch[0].Offset;
                    // Without a gap from where startAt said, or from the batch before.
                    Assert.Equal(Enumerable.Range(0, batch.Count).Select(n => next[partition] + n), batch.Select(m => m.Offset));
                    if (!_landed.TryLand(partition, next[partition], [.. batch.Select(m => Encoding.UTF8.GetString(m.Value!.Value.Span))])) break;
                    next[partition] = batch.NextOffset;
                    await subscription.CommitAsync(partition, batch.NextOffset, Token);
                    landed();
                }
            }
        }
    }
}
