using System.Diagnostics;
using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.EventLog.Tests;

public sealed class EmbeddedEventLogTests : EventLogContract, IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-log-").FullName;
    private readonly List<EmbeddedEventLog> _open = [];
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));

    protected override bool KeepsAppendsTogether => true;

    protected override IEventLog Open(int partitions = 1) => OpenAt(_folder, partitions);

    protected override async Task RemoveOldAsync(IEventLog log, long upTo)
    {
        await log.Subscribe("interactions", ReaderGroups.Ingest, _ => 0).CommitAsync(0, upTo, Token);
        _time.Advance(TimeSpan.FromDays(8));
        await ((EmbeddedEventLog)log).DropOldAsync("interactions");
    }

    private EmbeddedEventLog OpenAt(string folder, int partitions = 1, int maxRecordBytes = 65536)
    {
        var log = new EmbeddedEventLog(folder, new EmbeddedEventLogOptions { Partitions = partitions, MaxRecordBytes = maxRecordBytes }, _time, NullLogger<EmbeddedEventLog>.Instance);
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
    public async Task The_time_of_a_message_is_the_clocks()
    {
        var log = Open();
        await log.AppendAsync("items", [Rec("a", "1")], Token);
        _time.Advance(TimeSpan.FromSeconds(5));
        await log.AppendAsync("items", [Rec("a", "2")], Token);
        var read = await ReadAsync(log, "items", 2);
        Assert.Equal(1769860800000, read[0].TimestampMs);
        Assert.Equal(5000, read[1].TimestampMs - read[0].TimestampMs);
    }

    [Theory]
    [InlineData("items")]
    [InlineData("dead-letters")]
    public async Task Random_appends_droppings_and_reopenings_equal_a_list(string topic)
    {
        var random = new Random(7);
        var model = new List<string?>();
        long begin = 0;
        for (int round = 0; round < 12; round++)
        {
            var log = OpenAt(_folder);
            Assert.Equal((begin, model.Count), (await log.BeginOffsetAsync(topic, 0, Token), await log.EndOffsetAsync(topic, 0, Token)));
            for (int batch = random.Next(8); batch > 0; batch--)
            {
                // Some records nearly fill a page, so that pages end with a gap.
                var values = Enumerable.Range(0, random.Next(1, 400)).Select(n => random.Next(9) == 0 ? null : new string((char)('a' + n % 26), random.Next(20) == 0 ? random.Next(60_000) : random.Next(300))).ToArray();
                var positions = await log.AppendAsync(topic, [.. values.Select(v => Rec("k", v))], Token);
                Assert.Equal(Enumerable.Range(model.Count, values.Length).Select(n => (long)n), positions.Select(p => p.Offset));
                model.AddRange(values);
                _time.Advance(TimeSpan.FromDays(random.Next(2)));
            }
            await log.DropOldAsync(topic);
            Assert.InRange(await log.BeginOffsetAsync(topic, 0, Token), begin, model.Count);
            begin = await log.BeginOffsetAsync(topic, 0, Token);
            long from = random.Next(model.Count), first = Math.Max(begin, from);
            if (model.Count > 0)
                Assert.Equal(model.Skip((int)first), (await ReadAsync(log, topic, model.Count - (int)first, from, random.Next(1, 500))).Select(m => Text(m.Value)));
            if (random.Next(3) == 0) File.Delete(Path.Combine(_folder, topic, "p0", "offsets")); // only a cache
            await log.DisposeAsync();
        }
        Assert.True(model.Count > 2000);
        Assert.Equal(topic == "dead-letters", begin > 0);
    }

    [Fact]
    public async Task A_second_opener_is_refused_until_the_first_closes()
    {
        var first = OpenAt(_folder);
        var refused = Assert.Throws<IOException>(() => OpenAt(_folder));
        Assert.Contains("in use by another process", refused.Message);
        await first.DisposeAsync();
        OpenAt(_folder);
    }

    [Fact]
    public async Task Another_number_of_partitions_is_refused()
    {
        var log = OpenAt(_folder, partitions: 2);
        await log.PartitionsAsync("items", Token);
        await log.DisposeAsync();
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => OpenAt(_folder, partitions: 3).PartitionsAsync("items", Token).AsTask());
        Assert.Contains("has 2 partitions, the configuration says 3", refused.Message);
    }

    [Fact]
    public async Task Group_positions_outlive_the_process()
    {
        var log = OpenAt(_folder);
        await log.AppendAsync("items", [Rec("a", "1")], Token);
        await log.Subscribe("items", "g", _ => 0).CommitAsync(0, 1, Token);
        await log.DisposeAsync();
        Assert.Equal(1, await OpenAt(_folder).CommittedAsync("items", "g", 0, Token));
    }

    [Fact]
    public async Task A_copy_of_the_folder_taken_while_it_is_written_opens_with_a_prefix()
    {
        var log = OpenAt(_folder);
        for (int copy = 0; copy < 5; copy++)
        {
            long before = await log.EndOffsetAsync("items", 0, Token);
            using var stop = new CancellationTokenSource();
            var writing = Task.Run(async () =>
            {
                for (int n = 0; !stop.IsCancellationRequested && n < 200; n++) await log.AppendAsync("items", [.. Enumerable.Range(0, 50).Select(i => Rec("k", new string('v', i * 7)))], Token);
            }, Token);
            string target = Directory.CreateTempSubdirectory("beeformer-log-copy-").FullName;
            foreach (string path in Directory.GetFiles(Path.Combine(_folder, "items"), "*", SearchOption.AllDirectories))
            {
                string to = Path.Combine(target, Path.GetRelativePath(_folder, path));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                await using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                await using var file = File.Create(to);
                await source.CopyToAsync(file, Token);
            }
            await stop.CancelAsync();
            await writing;
            var copied = OpenAt(target);
            int end = (int)await copied.EndOffsetAsync("items", 0, Token);
            Assert.InRange(end, before, await log.EndOffsetAsync("items", 0, Token));
            await copied.AppendAsync("items", [Rec("k", "last")], Token);
            var read = await ReadAsync(copied, "items", end + 1);
            Assert.Equal(Enumerable.Range(0, end).Select(n => n % 50 * 7).Append(4), read.Select(m => m.Value!.Value.Length));
            await copied.DisposeAsync();
            Directory.Delete(target, recursive: true);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(1000)]
    public async Task A_torn_tail_costs_only_what_it_tore(int bytesLost)
    {
        var log = OpenAt(_folder);
        await log.AppendAsync("items", [.. Enumerable.Range(0, 2000).Select(n => Rec("k", $"value {n}"))], Token);
        await log.DisposeAsync();
        string data = Path.Combine(_folder, "items", "p0", "records.0");
        var bytes = await File.ReadAllBytesAsync(data, Token);
        int lastUsed = Array.FindLastIndex(bytes, b => b != 0);
        bytes.AsSpan(lastUsed + 1 - bytesLost, bytesLost).Clear();
        await File.WriteAllBytesAsync(data, bytes, Token);

        var again = OpenAt(_folder);
        int end = (int)await again.EndOffsetAsync("items", 0, Token);
        Assert.InRange(end, 2000 - bytesLost / 40 - 2, 1999);
        Assert.Equal(end, (await again.AppendAsync("items", [Rec("k", "next")], Token))[0].Offset);
        var read = await ReadAsync(again, "items", end + 1);
        Assert.Equal(Enumerable.Range(0, end).Select(n => $"value {n}").Append("next"), read.Select(m => Text(m.Value)));
    }

    [Fact]
    public async Task A_damaged_commit_slot_falls_back_to_the_commit_before()
    {
        var log = OpenAt(_folder);
        await log.AppendAsync("items", [Rec("k", "one")], Token);
        await log.AppendAsync("items", [Rec("k", "two")], Token);
        await log.DisposeAsync();
        string path = Path.Combine(_folder, "items", "p0", "commit");
        var bytes = await File.ReadAllBytesAsync(path, Token);
        bytes[4096 + 30] ^= 1; // the second commit
        await File.WriteAllBytesAsync(path, bytes, Token);
        var again = OpenAt(_folder);
        Assert.Equal(1, await again.EndOffsetAsync("items", 0, Token));
        Assert.Equal("one", Text((await ReadAsync(again, "items", 1))[0].Value));
    }

    [Fact]
    public async Task A_killed_process_loses_nothing_that_it_was_told_is_durable()
    {
        // This test assembly is the child: see KillTarget.
        string acknowledged = Path.Combine(_folder, "acknowledged");
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(KillTarget).Assembly.Location);
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"{typeof(KillTarget).FullName}.{nameof(KillTarget.Appends_until_it_is_killed)}");
        start.Environment["BEEFORMER_KILL_TARGET"] = _folder;
        using var child = Process.Start(start)!;
        _ = child.StandardOutput.ReadToEndAsync(Token);
        _ = child.StandardError.ReadToEndAsync(Token);
        using var watcher = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!(File.Exists(acknowledged) && new FileInfo(acknowledged).Length >= 8 * 50) && !child.HasExited) await watcher.WaitForNextTickAsync(Token);
        Assert.False(child.HasExited);
        child.Kill();
        await child.WaitForExitAsync(Token);

        var bytes = await File.ReadAllBytesAsync(acknowledged, Token);
        long durable = BitConverter.ToInt64(bytes, bytes.Length / 8 * 8 - 8);
        var log = OpenAt(_folder);
        int end = (int)await log.EndOffsetAsync("items", 0, Token);
        Assert.True(end >= durable, $"{durable} acknowledged, {end} found");
        Assert.Equal(Enumerable.Range(0, end).Select(n => $"{n}"), (await ReadAsync(log, "items", end)).Select(m => Text(m.Value)));
    }
}

/// <summary>Runs in the process that is killed.</summary>
public sealed class KillTarget
{
    [Fact]
    public async Task Appends_until_it_is_killed()
    {
        string? folder = Environment.GetEnvironmentVariable("BEEFORMER_KILL_TARGET");
        if (folder is null) Assert.Skip("runs only as the child of another test");
        await using var log = new EmbeddedEventLog(folder, new EmbeddedEventLogOptions { MaxRecordBytes = 65536 }, TimeProvider.System, NullLogger<EmbeddedEventLog>.Instance);
        await using var acknowledged = new FileStream(Path.Combine(folder, "acknowledged"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite, 0);
        for (int n = 0; n < 10_000_000; n += 100)
        {
            var positions = await log.AppendAsync("items", [.. Enumerable.Range(n, 100).Select(i => new LogRecord("k"u8.ToArray(), Encoding.UTF8.GetBytes($"{i}")))], TestContext.Current.CancellationToken);
            acknowledged.Write(BitConverter.GetBytes(positions[^1].Offset + 1));
        }
    }
}
