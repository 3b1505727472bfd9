using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Embedded;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.EventLog.Tests;

public sealed class EmbeddedRetentionTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-log-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));
    private EmbeddedEventLog? _log;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private EmbeddedEventLog Open(EmbeddedEventLogOptions? options = null) =>
        _log = new EmbeddedEventLog(_folder, options ?? new EmbeddedEventLogOptions { MaxRecordBytes = 65536 }, _time, NullLogger<EmbeddedEventLog>.Instance);

    private static async Task AppendAsync(EmbeddedEventLog log, string topic, int count, int bytes = 10) =>
        await log.AppendAsync(topic, [.. Enumerable.Range(0, count).Select(_ => new LogRecord("k"u8.ToArray(), new byte[bytes]))], Token);

    private static Task LandAsync(EmbeddedEventLog log, long upTo) => log.Subscribe(Topics.Interactions, ReaderGroups.Ingest, _ => 0).CommitAsync(0, upTo, Token).AsTask();

    private static async Task<long> BeginAfterDroppingAsync(EmbeddedEventLog log, string topic)
    {
        await log.DropOldAsync(topic);
        return await log.BeginOffsetAsync(topic, 0, Token);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_log is not null) await _log.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_has_not_landed_is_kept_however_old_it_is()
    {
        var log = Open();
        await AppendAsync(log, Topics.Interactions, 10_000);
        _time.Advance(TimeSpan.FromDays(30));
        Assert.Equal(0, await BeginAfterDroppingAsync(log, Topics.Interactions));
        await LandAsync(log, 5_000);
        Assert.Equal(4 * 1024, await BeginAfterDroppingAsync(log, Topics.Interactions));
        await LandAsync(log, 10_000);
        Assert.Equal(9 * 1024, await BeginAfterDroppingAsync(log, Topics.Interactions));
    }

    [Fact]
    public async Task Age_counts_from_when_a_record_was_appended()
    {
        var log = Open();
        for (int day = 0; day < 10; day++)
        {
            await AppendAsync(log, Topics.Interactions, 2048);
            _time.Advance(TimeSpan.FromDays(1));
        }
        await LandAsync(log, 20_480);
        // The first three days' are 10, 9 and 8 days old; the entry that is the last of them begins their last 1,024 records.
        Assert.Equal(3 * 2048 - 1024, await BeginAfterDroppingAsync(log, Topics.Interactions));
    }

    [Fact]
    public async Task Items_are_never_dropped_and_dead_letters_need_no_reader()
    {
        var log = Open();
        await AppendAsync(log, Topics.Items, 5000);
        await AppendAsync(log, Topics.DeadLetters, 5000);
        _time.Advance(TimeSpan.FromDays(30));
        Assert.Equal(0, await BeginAfterDroppingAsync(log, Topics.Items));
        Assert.Equal(4 * 1024, await BeginAfterDroppingAsync(log, Topics.DeadLetters));
    }

    [Fact]
    public async Task Old_records_go_by_themselves_at_intervals_and_when_the_log_is_opened()
    {
        var log = Open();
        await AppendAsync(log, Topics.DeadLetters, 5000);
        _time.Advance(TimeSpan.FromDays(8));
        await AppendAsync(log, Topics.DeadLetters, 1); // behind what the timer asked for
        Assert.Equal(4 * 1024, await log.BeginOffsetAsync(Topics.DeadLetters, 0, Token));
        await AppendAsync(log, Topics.DeadLetters, 5000);
        await log.DisposeAsync();
        _time.Advance(TimeSpan.FromDays(8));
        log = Open();
        await AppendAsync(log, Topics.DeadLetters, 1);
        Assert.Equal(9 * 1024, await log.BeginOffsetAsync(Topics.DeadLetters, 0, Token));
    }

    [Fact]
    public async Task Bytes_bound_what_a_partition_takes_and_whole_files_leave_the_disk()
    {
        var log = Open(new EmbeddedEventLogOptions { MaxRecordBytes = 65536, RetentionBytes = 4 << 20 });
        string data = Path.Combine(_folder, Topics.DeadLetters, "p0");
        for (int n = 0; n < 5; n++) await AppendAsync(log, Topics.DeadLetters, 1024, bytes: 16_500);
        Assert.True(File.Exists(Path.Combine(data, "records.1")));
        long begin = await BeginAfterDroppingAsync(log, Topics.DeadLetters);
        Assert.Equal(4096, begin);
        await AppendAsync(log, Topics.DeadLetters, 1);
        await log.DisposeAsync();
        Assert.False(File.Exists(Path.Combine(data, "records.0")));

        log = Open();
        Assert.Equal((4096, 5121), (await log.BeginOffsetAsync(Topics.DeadLetters, 0, Token), await log.EndOffsetAsync(Topics.DeadLetters, 0, Token)));
    }

    [Fact]
    public async Task A_crash_before_the_files_are_deleted_leaves_too_much_and_no_harm()
    {
        var log = Open();
        await AppendAsync(log, Topics.DeadLetters, 3000);
        await log.DisposeAsync();
        string partition = Path.Combine(_folder, Topics.DeadLetters, "p0");
        // Only the new begin was written: that of the third entry of the index.
        var index = await File.ReadAllBytesAsync(Path.Combine(partition, "offsets"), Token);
        new LogBegin(BitConverter.ToInt64(index, 48), BitConverter.ToInt64(index, 56)).Save(partition);

        log = Open();
        Assert.Equal((2048, 3000), (await log.BeginOffsetAsync(Topics.DeadLetters, 0, Token), await log.EndOffsetAsync(Topics.DeadLetters, 0, Token)));
        await AppendAsync(log, Topics.DeadLetters, 1);
        await log.DisposeAsync();
        File.Delete(Path.Combine(partition, "offsets"));
        Assert.Equal((2048, 3001), (await Open().BeginOffsetAsync(Topics.DeadLetters, 0, Token), await _log!.EndOffsetAsync(Topics.DeadLetters, 0, Token)));
    }

    [Fact]
    public async Task A_torn_tail_behind_a_dropped_begin_costs_only_what_it_tore()
    {
        var log = Open();
        await AppendAsync(log, Topics.DeadLetters, 5000);
        _time.Advance(TimeSpan.FromDays(8));
        Assert.Equal(4096, await BeginAfterDroppingAsync(log, Topics.DeadLetters));
        await log.DisposeAsync();
        string data = Path.Combine(_folder, Topics.DeadLetters, "p0", "records.0");
        var bytes = await File.ReadAllBytesAsync(data, Token);
        Array.Clear(bytes, bytes.Length - 65536, 65536); // the last page, which holds all that is left but a part
        await File.WriteAllBytesAsync(data, bytes, Token);

        log = Open();
        long end = await log.EndOffsetAsync(Topics.DeadLetters, 0, Token);
        Assert.InRange(end, 4096, 4999);
        await log.AppendAsync(Topics.DeadLetters, [new LogRecord("k"u8.ToArray(), "next"u8.ToArray())], Token);
        await using var subscription = log.Subscribe(Topics.DeadLetters, "test", _ => end);
        var next = (await subscription.ReadAsync(1, Token))[0];
        Assert.Equal((end, "next"), (next.Offset, Encoding.UTF8.GetString(next.Value!.Value.Span)));
    }

    [Fact]
    public void A_retention_that_would_drop_at_once_is_refused()
    {
        Assert.Contains("EventLog:Retention is 00:00:10; expected at least 00:01:00", Assert.Throws<ArgumentException>(() => Open(new() { Retention = TimeSpan.FromSeconds(10) })).Message);
        Assert.Contains("EventLog:RetentionBytes is 5; expected at least 1048576", Assert.Throws<ArgumentException>(() => Open(new() { RetentionBytes = 5 })).Message);
    }

    [Theory]
    [InlineData("EventLog:Retention", "1.00:00:00", null)]
    [InlineData("EventLog:Retention", "00:00:10", "EventLog:Retention is 00:00:10; expected at least 00:01:00.")]
    [InlineData("EventLog:Keep", "7", "'Keep'")]
    public void The_section_of_the_configuration_is_checked(string key, string value, string? refusal)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create(key, (string?)value)]).Build();
        using var services = new ServiceCollection().AddLogging().AddEmbeddedEventLog(_folder, configuration).BuildServiceProvider();
        if (refusal is null) Assert.IsType<EmbeddedEventLog>(services.GetRequiredService<IEventLog>());
        else Assert.Contains(refusal, Assert.ThrowsAny<Exception>(services.GetRequiredService<IEventLog>).Message);
    }
}
