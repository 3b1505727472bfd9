using System.Diagnostics;
using System.Text;

namespace BeeFormer.Streaming.EventLog.Tests;

/// <summary>What every form of the log promises. A subclass provides the log.</summary>
public abstract class EventLogContract
{
    protected abstract IEventLog Open(int partitions = 1);

    /// <summary>Removes the oldest records of partition 0 of the interactions, as retention does: some, and none from <paramref name="upTo"/> on.</summary>
    protected abstract Task RemoveOldAsync(IEventLog log, long upTo);

    /// <summary>Records of one append to one partition are neighbours, whoever appends at the same time.</summary>
    protected abstract bool KeepsAppendsTogether { get; }

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
    public async Task Messages_take_the_recorded_trace_of_whoever_appends_them_along()
    {
        var log = Open();
        byte[] own = Encoding.ASCII.GetBytes("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        string trace;
        using (var activity = new Activity("test") { ActivityTraceFlags = ActivityTraceFlags.Recorded }.SetIdFormat(ActivityIdFormat.W3C).Start())
        {
            trace = activity.Id!;
            await log.AppendAsync("items", [Rec("a", "1"), Rec("b", "2") with { Headers = [new LogHeader("traceparent", own)] }], Token);
            await log.AppendAsync(Contracts.Topics.DeadLetters, [Rec("c", "3")], Token);
        }
        using (new Activity("not recorded").SetIdFormat(ActivityIdFormat.W3C).Start()) await log.AppendAsync("items", [Rec("d", "4")], Token);

        var read = await ReadAsync(log, "items", 3);
        Assert.Equal([("traceparent", trace), ("traceparent", Encoding.ASCII.GetString(own))], read.SelectMany(message => message.Headers ?? []).Select(header => (header.Name, Encoding.ASCII.GetString(header.Value.Span))));
        Assert.Null(read[2].Headers);
        Assert.Null((await ReadAsync(log, Contracts.Topics.DeadLetters, 1))[0].Headers);
    }

    [Fact]
    public async Task Erasing_takes_messages_out_or_says_that_the_log_only_appends()
    {
        var log = Open();
        await log.AppendAsync("interactions", [Rec("u1", "a"), Rec("u2", "b"), Rec("u1", null), Rec("u2", "c")], Token);
        long? erased = await log.EraseAsync("interactions", message => Text(message.Key) == "u1", Token);
        Assert.True(erased is null or 2);
        var left = await ReadAsync(log, "interactions", erased is null ? 4 : 2);
        Assert.Equal(erased is null ? [0L, 1, 2, 3] : [1L, 3], left.Select(m => m.Offset));
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
    public async Task A_batch_of_many_records_is_appended_whole()
    {
        var log = Open();
        var positions = await log.AppendAsync("interactions", [.. Enumerable.Range(0, 20_000).Select(n => Rec("u", $"{n}"))], Token);
        Assert.Equal(Enumerable.Range(0, 20_000).Select(n => (long)n), positions.Select(p => p.Offset));
    }

    [Fact]
    public async Task Concurrent_appends_get_positions_of_their_own()
    {
        var log = Open();
        var all = await Task.WhenAll(Enumerable.Range(0, 200).Select(n => Task.Run(() => log.AppendAsync("items", [Rec("a", $"{n}.0"), Rec("b", $"{n}.1")], Token).AsTask())));
        var read = (await ReadAsync(log, "items", 400)).ToDictionary(m => m.Offset, m => Text(m.Value));
        for (int n = 0; n < 200; n++)
        {
            if (KeepsAppendsTogether) Assert.Equal(all[n][0].Offset + 1, all[n][1].Offset);
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

    [Fact]
    public async Task A_tombstone_is_no_empty_value()
    {
        var log = Open();
        await log.AppendAsync("items", [Rec("", "no key"), Rec("a", ""), Rec("a", null)], Token);
        var read = await ReadAsync(log, "items", 3);
        Assert.Equal(["", "a", "a"], read.Select(m => Text(m.Key)));
        Assert.Equal(["no key", "", null], read.Select(m => Text(m.Value)));
    }

    [Fact]
    public async Task Headers_come_back_in_order()
    {
        var log = Open();
        LogHeader[] headers = [new("content-type", "application/json"u8.ToArray()), new("ce_id", "1"u8.ToArray()), new("ce_id", "2"u8.ToArray()), new("empty", default), new("name", "Zoë"u8.ToArray())];
        await log.AppendAsync("items", [Rec("a", "1") with { Headers = headers }, Rec("a", null) with { Headers = headers[..1] }, Rec("a", "3")], Token);
        var read = await ReadAsync(log, "items", 3);
        Assert.Equal(headers.Select(h => (h.Name, Text(h.Value))), read[0].Headers!.Select(h => (h.Name, Text(h.Value))));
        Assert.Equal(("content-type", "application/json"), (Assert.Single(read[1].Headers!).Name, Text(read[1].Headers![0].Value)));
        Assert.Null(read[2].Headers);
    }

    [Fact]
    public async Task Only_the_first_batch_of_a_partition_starts_anew()
    {
        var log = Open(3);
        await log.AppendAsync("interactions", [.. Enumerable.Range(0, 90).Select(n => Rec($"user-{n}", $"{n}"))], Token);
        for (int reader = 0; reader < 2; reader++)
        {
            await using var subscription = log.Subscribe("interactions", "test", _ => 0);
            var batches = new List<(int Partition, bool StartsAnew)>();
            for (int read = 0; read < 90;)
            {
                var batch = await subscription.ReadAsync(5, Token);
                read += batch.Count;
                batches.Add((batch.Partition, batch.StartsAnew));
            }
            foreach (var partition in batches.GroupBy(batch => batch.Partition))
                Assert.Equal(partition.Select((_, n) => n == 0), partition.Select(batch => batch.StartsAnew));
        }
    }

    [Fact]
    public async Task A_batch_keeps_its_bytes_until_it_is_disposed_whatever_becomes_of_the_others()
    {
        var log = Open();
        string Value(int n) => new((char)('a' + n % 26), 20 + n % 500);
        await log.AppendAsync("items", [.. Enumerable.Range(0, 2000).Select(n => Rec($"{n}", Value(n)))], Token);
        await using var subscription = log.Subscribe("items", "test", _ => 0);
        var kept = new List<LogBatch>();
        for (int next = 0, turn = 0; next < 2000; turn++)
        {
            var batch = await subscription.ReadAsync(37, Token);
            Check(batch);
            next += batch.Count;
            if (turn % 3 == 0)
            {
                kept.Add(batch);
                continue;
            }
            batch.Dispose();
            batch.Dispose(); // a second time gives back nothing
        }
        kept.ForEach(Check);

        void Check(LogBatch batch) => Assert.Equal(batch.Select(m => ($"{m.Offset}", Value((int)m.Offset))), batch.Select(m => (Text(m.Key)!, Text(m.Value)!)));
    }

    [Fact]
    public async Task What_retention_removed_is_passed_over()
    {
        var log = Open();
        for (int n = 0; n < 6000; n += 1000) await log.AppendAsync("interactions", [.. Enumerable.Range(n, 1000).Select(i => Rec("u", $"{i}"))], Token);
        await using var running = log.Subscribe("interactions", "running", _ => 100);
        Assert.Equal(100, (await running.ReadAsync(10, Token))[0].Offset);
        await RemoveOldAsync(log, 5000);

        long begin = await log.BeginOffsetAsync("interactions", 0, Token);
        Assert.InRange(begin, 1, 5000);
        Assert.Equal(6000, await log.EndOffsetAsync("interactions", 0, Token));
        foreach (long start in new long[] { 0, begin - 1, begin, begin + 1, 5999 })
        {
            int from = (int)Math.Max(start, begin);
            Assert.Equal(Enumerable.Range(from, 6000 - from).Select(i => ((long)i, $"{i}")), (await ReadAsync(log, "interactions", 6000 - from, start)).Select(m => (m.Offset, Text(m.Value)!)));
        }
        await log.AppendAsync("interactions", [Rec("u", "6000")], Token);
        Assert.Equal("6000", Text((await ReadAsync(log, "interactions", 1, 6000))[0].Value));
    }

    [Fact]
    public async Task Reading_from_beyond_the_end_is_refused()
    {
        var log = Open();
        await using var subscription = log.Subscribe("items", "g", _ => 5);
        Assert.Contains("asks for offset 5, but the log ends at 0", (await Assert.ThrowsAsync<InvalidDataException>(() => subscription.ReadAsync(1, Token).AsTask())).Message);
    }

    [Fact]
    public async Task A_record_over_the_limit_is_refused_and_nothing_of_its_batch_is_appended()
    {
        var log = Open();
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => log.AppendAsync("items", [Rec("a", "1"), Rec("b", new string('x', 65536))], Token).AsTask());
        Assert.Contains("record 1 for topic items has 65537 bytes; at most 65536 are allowed", refused.Message);
        Assert.Equal(0, await log.EndOffsetAsync("items", 0, Token));
        await log.AppendAsync("items", [Rec("b", new string('x', 65535))], Token);
    }
}
