using System.Diagnostics;
using System.Text;
using BeeFormer.Streaming.EventLog.Kafka;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

[Collection(KafkaCollection.Name)]
public sealed class KafkaReadingTests(KafkaBroker broker) : IAsyncLifetime
{
    private readonly KafkaLogs _logs = new(broker.Address);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static LogRecord Rec(string key, int value) => new(Encoding.UTF8.GetBytes(key), BitConverter.GetBytes(value));

    private static int Value(LogMessage message) => BitConverter.ToInt32(message.Value!.Value.Span);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _logs.DisposeAsync();

    [Theory]
    [InlineData(PartitionSharing.None)]
    [InlineData(PartitionSharing.Group)]
    public async Task Partitions_that_are_added_are_read(PartitionSharing sharing)
    {
        var log = _logs.Open(2);
        await log.AppendAsync("interactions", [.. Enumerable.Range(0, 50).Select(n => Rec($"{n}", n))], Token);
        await using var subscription = log.Subscribe("interactions", "test", _ => 0, sharing);
        var seen = new Dictionary<LogPosition, int>();
        while (seen.Count < 50) Add(await subscription.ReadAsync(100, Token));

        using var admin = _logs.Admin();
        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = _logs.Name("interactions"), IncreaseTo = 5 }]);
        // A producer that does not know the new partitions yet is another reason to append until one has got something.
        int next = 50;
        while (seen.Keys.All(position => position.Partition < 2))
        {
            await log.AppendAsync("interactions", [.. Enumerable.Range(next, 50).Select(n => Rec($"{n}", n))], Token);
            next += 50;
            while (seen.Count < next) Add(await subscription.ReadAsync(100, Token));
        }
        Assert.Equal(5, await log.PartitionsAsync("interactions", Token));
        Assert.Equal(Enumerable.Range(0, next), seen.Values.Order());

        void Add(LogBatch batch)
        {
            foreach (var message in batch) seen.Add(new LogPosition(message.Partition, message.Offset), Value(message));
        }
    }

    [Fact]
    public async Task A_compacted_topic_is_read_over_its_gaps()
    {
        var log = _logs.Open();
        await log.PartitionsAsync("items", Token);
        using var admin = _logs.Admin();
        var quickly = new Dictionary<string, string> { ["segment.ms"] = "100", ["min.cleanable.dirty.ratio"] = "0.01" };
        await admin.IncrementalAlterConfigsAsync(new()
        {
            [new ConfigResource { Type = ResourceType.Topic, Name = _logs.Name("items") }] = [.. quickly.Select(of => new ConfigEntry { Name = of.Key, Value = of.Value, IncrementalOperation = AlterConfigOpType.Set })],
        });
        for (int n = 0; n < 100; n++) await log.AppendAsync("items", [Rec(n % 10 == 0 ? $"{n}" : "replaced", n)], Token);

        List<LogMessage> read;
        int end = 100;
        do
        {
            await log.AppendAsync("items", [Rec("last", end++)], Token); // the segment that is written to is never compacted
            read = await ReadToAsync(log, 0, end - 1);
        }
        while (read.Count(message => message.Offset < 100) > 11);

        Assert.Equal([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99], read.Where(message => message.Offset < 100).Select(Value));
        Assert.All(read, message => Assert.Equal(message.Offset, Value(message)));
        Assert.Equal(40, (await ReadToAsync(log, 33, end - 1))[0].Offset);
    }

    [Fact]
    public async Task A_slow_reader_stays_in_its_group_and_misses_nothing()
    {
        var options = _logs.Options();
        options.Client["session.timeout.ms"] = "6000";
        options.Client["max.poll.interval.ms"] = "6000";
        var log = _logs.Open(options);
        await log.AppendAsync("interactions", [.. Enumerable.Range(0, 20_000).Select(n => Rec("u", n))], Token);
        int started = 0;
        await using var subscription = log.Subscribe("interactions", "test", _ => started++, PartitionSharing.Group);
        int next = (await subscription.ReadAsync(100, Token)).Count;

        // Busy elsewhere for longer than a group waits for a member that does not poll.
        int appended = 20_000;
        for (long began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(8); appended++) await log.AppendAsync("interactions", [Rec("u", appended)], Token);

        while (next < appended)
        {
            var batch = await subscription.ReadAsync(1000, Token);
            Assert.False(batch.StartsAnew);
            Assert.Equal(Enumerable.Range(next, batch.Count), batch.Select(Value));
            next += batch.Count;
            batch.Dispose();
        }
        Assert.Equal(1, started);
    }

    /// <summary>It waits for its reader, which reads no more, while the partition comes; it hears of it when it leaves.</summary>
    [Fact]
    public async Task A_partition_that_comes_while_its_reader_leaves_is_not_taken()
    {
        var log = _logs.Open(2);
        await log.AppendAsync("interactions", [.. Enumerable.Range(0, 80_000).Select(n => Rec($"{n}", n))], Token);
        using var admin = _logs.Admin();
        string group = _logs.Name("test.interactions");
        for (int round = 0; round < 3; round++)
        {
            int taken = 0;
            var leaving = log.Subscribe("interactions", "test", _ =>
            {
                Interlocked.Increment(ref taken);
                return 0;
            }, PartitionSharing.Group);
            await leaving.ReadAsync(1, Token);
            var other = log.Subscribe("interactions", "test", _ => 0, PartitionSharing.Group);
            await other.ReadAsync(1, Token);
            for (int n = 0; n < 10_000;)
            {
                var batch = await leaving.ReadAsync(1000, Token);
                n += batch.Count;
                batch.Dispose();
            }
            await other.DisposeAsync();
            while ((await admin.DescribeConsumerGroupsAsync([group])).ConsumerGroupDescriptions[0] is not { State: ConsumerGroupState.Stable, Members: [{ Assignment.TopicPartitions.Count: 2 }] }) { }
            int before = Volatile.Read(ref taken);
            await leaving.DisposeAsync();
            Assert.Equal(before, Volatile.Read(ref taken));
        }
    }

    [Fact]
    public async Task A_partition_that_left_while_its_reader_was_slow_comes_back_speaking()
    {
        var log = _logs.Open(2);
        await log.AppendAsync("interactions", [.. Enumerable.Range(0, 40_000).Select(n => Rec($"{n}", n))], Token);
        var next = new long[2];
        await using var slow = log.Subscribe("interactions", "test", p => Volatile.Read(ref next[p]), PartitionSharing.Group);
        var seen = new HashSet<int>();
        var highest = new long[2];
        Take(await slow.ReadAsync(1000, Token));

        // The slow one is paused by the time it is asked to share.
        await using (var guest = log.Subscribe("interactions", "test", p => Volatile.Read(ref next[p]), PartitionSharing.Group)) await guest.ReadAsync(1, Token);
        while (seen.Count < 40_000) Take(await slow.ReadAsync(1000, Token));

        void Take(LogBatch batch)
        {
            // Where a partition goes on is asked when it comes, at any moment: the one batch that was read by then and not recorded comes again, and says so.
            if (batch.StartsAnew)
            {
                Assert.InRange(next[batch.Partition] - batch[0].Offset, 0, 1000);
                next[batch.Partition] = batch[0].Offset;
            }
            Assert.Equal(Enumerable.Range(0, batch.Count).Select(n => next[batch.Partition] + n), batch.Select(message => message.Offset));
            foreach (var message in batch) Assert.Equal(message.Offset >= highest[batch.Partition], seen.Add(Value(message)));
            highest[batch.Partition] = Math.Max(highest[batch.Partition], batch.NextOffset);
            Volatile.Write(ref next[batch.Partition], batch.NextOffset);
        }
    }

    [Fact]
    public async Task A_reader_that_retention_overtook_goes_on_at_the_begin()
    {
        var options = _logs.Options();
        options.Client["queued.max.messages.kbytes"] = "64";
        options.Client["fetch.message.max.bytes"] = "10000";
        var log = _logs.Open(options);
        // More than lies between the broker and the reader.
        for (int n = 0; n < 500; n += 50) await log.AppendAsync("interactions", [.. Enumerable.Range(n, 50).Select(i => new LogRecord("u"u8.ToArray(), new byte[50_000]))], Token);
        await using var subscription = log.Subscribe("interactions", "test", _ => 1);
        Assert.Equal(1, (await subscription.ReadAsync(1, Token))[0].Offset);

        using var admin = _logs.Admin();
        await admin.DeleteRecordsAsync([new TopicPartitionOffset(_logs.Name("interactions"), 0, 490)]);
        var offsets = new List<long>();
        while (offsets.LastOrDefault() < 499)
        {
            using var batch = await subscription.ReadAsync(100, Token);
            offsets.AddRange(batch.Select(message => message.Offset));
        }
        int before = offsets.FindIndex(offset => offset >= 490);
        Assert.Equal(Enumerable.Range(2, before).Concat(Enumerable.Range(490, 10)).Select(n => (long)n), offsets);
        Assert.Contains(_logs.Logger.Of(LogLevel.Warning), line => line.Contains($"goes on at offset 490, the oldest that is there; retention removed the {490 - 2 - before} before it from {2 + before} on", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_position_beyond_the_end_is_refused_also_to_readers_of_a_group()
    {
        var log = _logs.Open();
        await log.AppendAsync("items", [Rec("a", 1)], Token);
        await using var subscription = log.Subscribe("items", "g", _ => 2, PartitionSharing.Group);
        Assert.Contains("asks for offset 2, but the log ends at 1", (await Assert.ThrowsAsync<InvalidDataException>(() => subscription.ReadAsync(1, Token).AsTask())).Message);
    }

    [Fact]
    public async Task Positions_are_seen_while_another_reader_of_the_group_lives()
    {
        var log = _logs.Open();
        await log.AppendAsync("items", [Rec("a", 1), Rec("b", 2)], Token);
        await using var subscription = log.Subscribe("items", "g", _ => 0, PartitionSharing.Group);
        await subscription.ReadAsync(1, Token);
        Assert.Equal(0, await log.CommittedAsync("items", "g", 0, Token));
        await subscription.CommitAsync(0, 1, Token);
        Assert.Equal(1, await _logs.Open().CommittedAsync("items", "g", 0, Token));
    }

    [Fact]
    public async Task Messages_of_an_aborted_transaction_are_no_events()
    {
        var log = _logs.Open();
        await log.AppendAsync("items", [Rec("a", 1)], Token);
        using (var producer = new ProducerBuilder<string, byte[]>(new ProducerConfig { BootstrapServers = broker.Address, TransactionalId = _logs.Name("shop") }).Build())
        {
            producer.InitTransactions(TimeSpan.FromSeconds(30));
            foreach (bool commit in new[] { false, true })
            {
                producer.BeginTransaction();
                await producer.ProduceAsync(_logs.Name("items"), new() { Key = "b", Value = BitConverter.GetBytes(commit ? 3 : 2) }, Token);
                if (commit) producer.CommitTransaction();
                else producer.AbortTransaction();
            }
        }
        var last = await log.AppendAsync("items", [Rec("a", 4)], Token); // before the mark of the commit, if the broker is slow to write it
        Assert.Equal([1, 3, 4], (await ReadToAsync(log, 0, last[0].Offset)).Select(Value));
        Assert.Equal(6, await log.EndOffsetAsync("items", 0, Token));
    }

    /// <summary>All from one offset to another, which there must be.</summary>
    private static async Task<List<LogMessage>> ReadToAsync(KafkaEventLog log, long first, long last)
    {
        await using var subscription = log.Subscribe("items", "test", _ => first);
        var all = new List<LogMessage>();
        while (all.Count == 0 || all[^1].Offset < last) all.AddRange(await subscription.ReadAsync(1000, Token));
        return all;
    }
}
