using System.Text;

namespace BeeFormer.Streaming.EventLog.Tests;

/// <summary>What every form of the log promises. A subclass provides the log.</summary>
public abstract class EventLogContract
{
    protected abstract IEventLog Open(int partitions = 1);

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected static LogRecord Rec(string key, string? value) => new(Encoding.UTF8.GetBytes(key), value is null ? null : Encoding.UTF8.GetBytes(value));

    protected static string? Text(ReadOnlyMemory<byte>? bytes) => bytes is { } some ? Encoding.UTF8.GetString(some.Span) : null;

    protected static async Task<List<LogMessage>> ReadAsync(IEventLog log, string topic, int count, long start = 0, int max = 100)
    {
        await using var subscription = log.Subscribe(topic, "test", _ => start);
        var all = new List<LogMessage>();
        while (all.Count < count) all.AddRange(await subscription.ReadAsync(max, Token));
        return all;
    }

    [Fact]
    public async Task Offsets_are_dense_and_messages_come_back_as_they_went_in()
    {
        var log = Open();
        var first = await log.AppendAsync("interactions", [Rec("u1", "a"), Rec("u2", null), Rec("u1", "")], Token);
        var second = await log.AppendAsync("interactions", [Rec("u3", "ü")], Token);
        Assert.Equal([0L, 1, 2, 3], first.Concat(second).Select(p => p.Offset));
        var read = await ReadAsync(log, "interactions", 4);
        Assert.Equal(["u1", "u2", "u1", "u3"], read.Select(m => Text(m.Key)));
        Assert.Equal(["a", null, "", "ü"], read.Select(m => Text(m.Value)));
        Assert.Equal(4, await log.EndOffsetAsync("interactions", 0, Token));
    }

    [Fact]
    public async Task Reading_starts_at_any_offset()
    {
        var log = Open();
        await log.AppendAsync("items", [.. Enumerable.Range(0, 3000).Select(n => Rec("k", $"{n}"))], Token);
        foreach (long start in new long[] { 1, 1023, 1024, 1025, 2500, 2999 })
            Assert.Equal(Enumerable.Range((int)start, 3000 - (int)start).Select(n => $"{n}"),
                (await ReadAsync(log, "items", 3000 - (int)start, start, 700)).Select(m => Text(m.Value)));
    }

    [Fact]
    public async Task A_waiting_reader_gets_what_is_appended_later()
    {
        var log = Open();
        await using var subscription = log.Subscribe("items", "test", _ => 0);
        var waiting = subscription.ReadAsync(10, Token).AsTask();
        Assert.False(waiting.IsCompleted);
        await log.AppendAsync("items", [Rec("i", "x")], Token);
        Assert.Equal(0, Assert.Single(await waiting).Offset);
    }

    [Fact]
    public async Task A_cancelled_wait_loses_nothing()
    {
        var log = Open();
        await using var subscription = log.Subscribe("items", "test", _ => 0);
        using var cancelled = new CancellationTokenSource();
        var waiting = subscription.ReadAsync(10, cancelled.Token).AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await log.AppendAsync("items", [Rec("i", "x")], Token);
        Assert.Single(await subscription.ReadAsync(10, Token));
    }

    [Fact]
    public async Task A_key_stays_in_its_partition_and_a_batch_is_of_one_partition_without_gaps()
    {
        var log = Open(4);
        Assert.Equal(4, await log.PartitionsAsync("interactions", Token));
        var records = Enumerable.Range(0, 400).Select(n => Rec($"user-{n % 40}", $"{n}")).ToArray();
        var positions = await log.AppendAsync("interactions", records, Token);
        foreach (var same in records.Zip(positions).GroupBy(pair => Encoding.UTF8.GetString(pair.First.Key)))
            Assert.Single(same.Select(pair => pair.Second.Partition).Distinct());
        await using var subscription = log.Subscribe("interactions", "test", _ => 0);
        var seen = new Dictionary<LogPosition, string>();
        while (seen.Count < 400)
        {
            var batch = await subscription.ReadAsync(7, Token);
            Assert.InRange(batch.Count, 1, 7);
            Assert.Equal(Enumerable.Range(0, batch.Count).Select(n => (batch[0].Partition, batch[0].Offset + n)), batch.Select(m => (m.Partition, m.Offset)));
            foreach (var m in batch) seen.Add(new LogPosition(m.Partition, m.Offset), Text(m.Value)!);
        }
        for (int n = 0; n < 400; n++) Assert.Equal($"{n}", seen[positions[n]]);
    }

    [Fact]
    public async Task Concurrent_appends_get_positions_of_their_own()
    {
        var log = Open();
        var all = await Task.WhenAll(Enumerable.Range(0, 200).Select(n => Task.Run(() => log.AppendAsync("items", [Rec("a", $"{n}.0"), Rec("b", $"{n}.1")], Token).AsTask())));
        var read = (await ReadAsync(log, "items", 400)).ToDictionary(m => m.Offset, m => Text(m.Value));
        for (int n = 0; n < 200; n++)
        {
            Assert.True(all[n][0].Offset < all[n][1].Offset);
            Assert.Equal([$"{n}.0", $"{n}.1"], all[n].Select(p => read[p.Offset]));
        }
    }

    [Fact]
    public async Task Groups_keep_their_own_positions()
    {
        var log = Open();
        await log.AppendAsync("items", [Rec("a", "1"), Rec("b", "2")], Token);
        await using var subscription = log.Subscribe("items", "one", _ => 0);
        await subscription.CommitAsync(0, 2, Token);
        Assert.Equal(2, await log.CommittedAsync("items", "one", 0, Token));
        Assert.Equal(0, await log.CommittedAsync("items", "other", 0, Token));
    }
}
