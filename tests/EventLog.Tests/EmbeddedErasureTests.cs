using System.Text;
using BeeFormer.Streaming.EventLog.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.EventLog.Tests;

/// <summary>What the embedded log erases is gone from the disk, byte for byte; the rest stays, whatever comes in between.</summary>
public sealed class EmbeddedErasureTests : IAsyncLifetime
{
    private const string Topic = "interactions", Gone = "user-to-forget", Other = "user-who-stays";

    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-erasure-").FullName;
    private readonly List<EmbeddedEventLog> _open = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private EmbeddedEventLog Open(string? folder = null, int partitions = 1)
    {
        var log = new EmbeddedEventLog(folder ?? _folder, new EmbeddedEventLogOptions { Partitions = partitions, MaxRecordBytes = 65536 }, TimeProvider.System, NullLogger<EmbeddedEventLog>.Instance);
        _open.Add(log);
        return log;
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var log in _open) await log.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Erased_messages_leave_no_byte_and_gaps_in_their_place()
    {
        var log = Open();
        await log.AppendAsync(Topic, [.. Enumerable.Range(0, 3000).Select(n => n % 3 == 0 ? Record(Gone, n) : Record(Other, n)), new LogRecord(Encoding.UTF8.GetBytes(Gone), null, [new LogHeader("subject", Encoding.UTF8.GetBytes(Gone))])], Token);
        Assert.True(Holds(_folder, Gone));

        Assert.Equal(1001, await log.EraseAsync(Topic, OfGone, Token));

        Assert.False(Holds(_folder, Gone));
        Assert.Equal(3001, await log.EndOffsetAsync(Topic, 0, Token));
        Assert.Equal(3001, (await log.AppendAsync(Topic, [Record(Other, 3001)], Token))[0].Offset);
        for (int opening = 0; opening < 2; opening++)
        {
            foreach (long from in new long[] { 0, 1, 999, 1024, 2999 })
                Assert.Equal(Enumerable.Range((int)from, 3002 - (int)from).Where(n => n % 3 != 0 && n < 3000 || n == 3001).Select(n => ((long)n, $"{Other} {n}")), await ReadAsync(log, from, 3001));
            log = await ReopenedAsync(log);
        }
    }

    [Fact]
    public async Task Readers_in_the_middle_and_at_the_end_go_on_over_the_gaps()
    {
        var log = Open();
        await log.AppendAsync(Topic, [.. Enumerable.Range(0, 20).Select(n => Record(n % 2 == 0 ? Gone : Other, n))], Token);
        await using var middle = log.Subscribe(Topic, "test", _ => 0);
        using (var first = await middle.ReadAsync(4, Token)) Assert.Equal([0, 1, 2, 3], first.Select(message => message.Offset));
        await using var waiting = log.Subscribe(Topic, "test", _ => 20);
        var next = waiting.ReadAsync(10, Token).AsTask();

        await log.EraseAsync(Topic, OfGone, Token);
        await log.AppendAsync(Topic, [Record(Gone, 20), Record(Other, 21)], Token);

        Assert.Equal([20, 21], (await next).Select(message => message.Offset));
        Assert.Equal([5, 7, 9, 11, 13, 15, 17, 19, 20, 21], (await middle.ReadAsync(100, Token)).Select(message => message.Offset));
    }

    [Fact]
    public async Task Bytes_that_retention_left_below_the_begin_go_too()
    {
        var log = new EmbeddedEventLog(_folder, new EmbeddedEventLogOptions { MaxRecordBytes = 65536, RetentionBytes = 1 << 20 }, TimeProvider.System, NullLogger<EmbeddedEventLog>.Instance);
        _open.Add(log);
        await log.AppendAsync(Topic, [.. Enumerable.Range(0, 1000).Select(n => Record(Gone, n)), .. Enumerable.Range(1000, 29_000).Select(n => Record(Other, n))], Token);
        await log.Subscribe(Topic, "ingest", _ => 0).CommitAsync(0, 30_000, Token);
        await log.DropOldAsync(Topic);
        long begin = await log.BeginOffsetAsync(Topic, 0, Token);
        Assert.True(begin > 1000);
        Assert.True(Holds(_folder, Gone));

        Assert.Equal(1000, await log.EraseAsync(Topic, OfGone, Token));

        Assert.False(Holds(_folder, Gone));
        Assert.Equal(Enumerable.Range((int)begin, 30_000 - (int)begin).Select(n => ((long)n, $"{Other} {n}")), await ReadAsync(log, 0, 29_999));
    }

    [Fact]
    public async Task Appends_beside_an_erasure_are_neither_lost_nor_erased()
    {
        var log = Open(partitions: 2);
        await log.AppendAsync(Topic, [.. Enumerable.Range(0, 200).Select(n => Record(Gone, n))], Token);
        var appending = Task.Run(async () =>
        {
            for (int n = 0; n < 100; n++) await log.AppendAsync(Topic, [Record(Other, n), Record($"{Other}-{n}", n)], Token);
        }, Token);
        // And beside searches, which have the files open.
        var searching = Task.Run(async () =>
        {
            for (int n = 0; n < 100; n++) Assert.Equal(0, await log.EraseAsync(Topic, _ => false, Token));
        }, Token);
        for (int n = 0; n < 20; n++)
        {
            Assert.Equal(n == 0 ? 200 : 1, await log.EraseAsync(Topic, OfGone, Token));
            await log.AppendAsync(Topic, [Record(Gone, n)], Token);
        }
        await log.EraseAsync(Topic, OfGone, Token);
        await appending;
        await searching;
        Assert.False(Holds(_folder, Gone));
        long others = 0;
        Assert.Equal(0, await log.EraseAsync(Topic, _ => { others++; return false; }, Token));
        Assert.Equal(200, others);
    }

    [Fact]
    public async Task Random_appends_erasures_and_reopenings_equal_a_list()
    {
        var random = new Random(11);
        var model = new List<string?>(); // by offset; null: erased
        var log = Open();
        for (int round = 0; round < 30; round++)
        {
            // Some records nearly fill a page, so that pages end with a gap.
            var values = Enumerable.Range(0, random.Next(1, 120)).Select(n => $"{model.Count + n:D6} " + new string((char)('a' + n % 26), random.Next(15) == 0 ? random.Next(60_000) : random.Next(300))).ToArray();
            await log.AppendAsync(Topic, [.. values.Select(value => new LogRecord(Encoding.UTF8.GetBytes("k"), Encoding.UTF8.GetBytes(value)))], Token);
            model.AddRange(values);
            var erase = Enumerable.Range(0, model.Count).Where(n => model[n] is not null && random.Next(5) == 0).Select(n => (long)n).ToHashSet();
            Assert.Equal(erase.Count, await log.EraseAsync(Topic, message => erase.Contains(message.Offset), Token));
            foreach (long offset in erase) model[(int)offset] = null;
            if (random.Next(3) == 0) log = await ReopenedAsync(log);
            if (random.Next(4) == 0) await log.AppendAsync(Topic, [new LogRecord([], [])], Token);
            while (await log.EndOffsetAsync(Topic, 0, Token) > model.Count) model.Add("");
            long from = random.Next(model.Count);
            long last = model.FindLastIndex(value => value is not null);
            if (from <= last)
                Assert.Equal(model.Select((value, offset) => ((long)offset, value)).Skip((int)from).Where(one => one.value is not null), (await ReadAsync(log, from, last)).Select(one => (one.Offset, (string?)one.Value)));
        }
        Assert.True(new FileInfo(Path.Combine(_folder, Topic, "p0", "records.0")).Length > 4 << 17);
    }

    [Fact]
    public async Task A_crash_at_any_step_of_an_erasure_is_finished_by_the_next_opening_or_repetition()
    {
        var log = Open();
        await log.AppendAsync(Topic, [.. Enumerable.Range(0, 40).Select(n => Record(n % 4 == 1 ? Gone : Other, n))], Token);
        await log.DisposeAsync();
        var geometry = LogGeometry.For(65536 + 65536 / 2 + 8192 + RecordFormat.HeaderBytes);
        int deaths = 0;
        for (bool finished = false; !finished; deaths++)
        {
            string image = Directory.CreateTempSubdirectory("beeformer-erasure-image-").FullName;
            Copy(_folder, image);
            string partition = Path.Combine(image, Topic, "p0");
            var places = RecordPlace.Find(partition, geometry, long.MaxValue, 0, OfGone, Token);
            Assert.Equal(10, places.Count);
            int change = 0, overwritten = 0;
            string? torn = null;
            using (DiskChange.Watch((what, path) =>
            {
                if (what == "overwrite") overwritten++;
                if (change++ < deaths) return;
                if (what == "overwrite") torn = path;
                throw new OperationCanceledException();
            }))
            {
                try
                {
                    RecordErasure.Note(partition, geometry, places);
                    RecordErasure.Finish(partition, geometry);
                    finished = true;
                }
                catch (OperationCanceledException)
                {
                    // The process is dead, and a part of what it wrote last got to the disk.
                    if (torn is not null) Tear(torn, places[overwritten - 1]);
                }
            }
            var again = Open(image);
            Assert.Equal(40, await again.EndOffsetAsync(Topic, 0, Token));
            Assert.InRange((await again.EraseAsync(Topic, OfGone, Token))!.Value, 0, overwritten > 0 ? 0 : 10);
            Assert.Equal(Enumerable.Range(0, 40).Where(n => n % 4 != 1).Select(n => ((long)n, $"{Other} {n}")), await ReadAsync(again, 0, 39));
            await again.DisposeAsync();
            Assert.False(Holds(image, Gone));
            Directory.Delete(image, recursive: true);
        }
        Assert.InRange(deaths, 15, 30);
    }

    private static LogRecord Record(string user, int n) => new(Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes($"{user} {n}"));

    private static bool OfGone(LogMessage message) => message.Key.Span.SequenceEqual(Encoding.UTF8.GetBytes(Gone));

    private async Task<EmbeddedEventLog> ReopenedAsync(EmbeddedEventLog log)
    {
        await log.DisposeAsync();
        return Open();
    }

    private static async Task<List<(long Offset, string Value)>> ReadAsync(EmbeddedEventLog log, long from, long last)
    {
        await using var subscription = log.Subscribe(Topic, "test", _ => from);
        var all = new List<(long, string)>();
        while (all.Count == 0 || all[^1].Item1 < last)
        {
            using var batch = await subscription.ReadAsync(100, Token);
            foreach (var message in batch) all.Add((message.Offset, Encoding.UTF8.GetString(message.Value!.Value.Span)));
        }
        return all;
    }

    private static void Tear(string path, RecordPlace place)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        RandomAccess.Write(file, new byte[place.Length / 2], place.Address + RecordPlace.FrameBytes + RecordFormat.HeaderBytes - 4);
    }

    private static void Copy(string from, string to)
    {
        foreach (string path in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(path, target);
        }
    }

    private static bool Holds(string folder, string text)
    {
        byte[] sought = Encoding.UTF8.GetBytes(text);
        return Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) != "lock").Any(path =>
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes.AsSpan().IndexOf(sought) >= 0;
        });
    }
}
