using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.DeadLetters;
using BeeFormer.Streaming.EventLog.Embedded;
using BeeFormer.Streaming.EventLog.Events;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.EventLog.Tests;

public sealed class DeadLetterLogTests : IAsyncLifetime
{
    private static readonly TimeSpan ClockError = TimeSpan.FromMinutes(5);

    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-letters-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));
    private readonly EmbeddedEventLog _embedded;
    private readonly InterruptedLog _log;
    private readonly DeadLetterLog _letters;
    private readonly Dictionary<string, long> _seen = [];

    public DeadLetterLogTests()
    {
        _embedded = new EmbeddedEventLog(_folder, new EmbeddedEventLogOptions { Partitions = 2, MaxRecordBytes = 65536 }, _time, NullLogger<EmbeddedEventLog>.Instance);
        _log = new InterruptedLog(_embedded);
        _letters = new DeadLetterLog(_log, ClockError, _time);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _letters.Dispose();
        await _embedded.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_letter_is_shown_byte_for_byte_with_its_headers()
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(n => (byte)n)];
        LogHeader[] headers = [new("trace", new byte[] { 255, 0 }), new("trace", Array.Empty<byte>())];
        var at = (await _log.AppendAsync(Topics.Interactions, [new LogRecord([0, 255], bytes, headers)], Token))[0];
        await IngestAsync();
        var letter = (await _letters.FindAsync(new LogPlace(Topics.Interactions, at.Partition, at.Offset), Token))!;
        Assert.Equal(RejectionReasons.InvalidJson, letter.Reason);
        Assert.Equal<byte>([0, 255], letter.Key!);
        Assert.Equal(bytes, letter.Value!);
        Assert.Equal(["trace=FF00", "trace="], letter.Headers!.Select(header => $"{header.Name}={Convert.ToHexString(header.Value)}"));
        Assert.Null(await _letters.FindAsync(new LogPlace(Topics.Interactions, at.Partition, at.Offset + 1), Token));
    }

    [Fact]
    public async Task Letters_are_listed_in_pages_by_reason_and_topic_and_counted()
    {
        for (int n = 0; n < 30; n++) await _log.AppendAsync(n % 3 == 0 ? Topics.Items : Topics.Interactions, [Raw($"k{n}", n % 2 == 0 ? "no json" : "{}")], Token);
        await IngestAsync();
        await IngestAsync(again: true); // the same letters once more, as after a crash
        var all = await _letters.ListAsync(new DeadLetterFilter(), null, 1000, Token);
        Assert.Equal((30, 30, 30, false), (all.Total, all.Matching, all.Letters.Count, all.More));
        Assert.Equal(all.Letters.Select(letter => letter.Id).Order(), all.Letters.Select(letter => letter.Id));

        var paged = new List<DeadLetterSummary>();
        DeadLetterPage page;
        do paged.AddRange((page = await _letters.ListAsync(new DeadLetterFilter(), paged.Count == 0 ? null : paged[^1].Id, 7, Token)).Letters);
        while (page.More);
        Assert.Equal(all.Letters, paged);

        var some = await _letters.ListAsync(new DeadLetterFilter(RejectionReasons.MissingField, Topics.Items), null, 2, Token);
        Assert.Equal((30, 5, 2, true), (some.Total, some.Matching, some.Letters.Count, some.More));
        Assert.All(some.Letters, letter => Assert.Equal((RejectionReasons.MissingField, Topics.Items, 2), (letter.Reason, letter.Id.Topic, letter.Bytes!.Value)));
    }

    [Fact]
    public async Task What_has_become_readable_comes_back_as_it_was_and_its_letter_is_done()
    {
        var place = await AppendAsync(Topics.Interactions, "u", Event("u", "early", _time.GetUtcNow().AddHours(1)), [new LogHeader("trace", new byte[] { 7 })]);
        await AppendAsync(Topics.Interactions, "v", "broken");
        await IngestAsync();
        Assert.Equal((0, 2), Counts(await ReplayAsync()));

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal((1, 1), Counts(await ReplayAsync(dryRun: true)));
        Assert.Equal(2, await LengthAsync(Topics.Interactions));
        var report = await ReplayAsync();
        Assert.Equal((1, 1), Counts(report));
        Assert.Contains("no valid JSON", Assert.Single(report.Staying).Why, StringComparison.Ordinal);

        var back = Assert.Single(await IngestAsync());
        Assert.Equal(Event("u", "early", _time.GetUtcNow()), Encoding.UTF8.GetString(back.Value!.Value.Span));
        Assert.Equal(place, LogPlace.FirstOf(Topics.Interactions, back));
        Assert.Equal<byte>([7], back.Headers![0].Value.ToArray());
        Assert.Equal(1, (await _letters.ListAsync(new DeadLetterFilter(), null, 10, Token)).Total);
        Assert.Equal(1, (await _letters.ReplayAsync(Ids(place), false, false, Token)).Count(ReplayOutcome.Unknown)); // twice: it is done
        Assert.Equal(3, await LengthAsync(Topics.Interactions));
    }

    [Theory]
    [InlineData(Topics.Interactions)]
    [InlineData(Topics.Items)]
    public async Task A_crash_between_return_and_mark_brings_nothing_back_twice(string topic)
    {
        string json = topic == Topics.Items ? Item("k", "new", _time.GetUtcNow().AddHours(1)) : Event("k", "e", _time.GetUtcNow().AddHours(1));
        await AppendAsync(topic, "k", json);
        await IngestAsync();
        _time.Advance(TimeSpan.FromHours(1));
        _log.Interrupted = Topics.DeadLetters;
        await Assert.ThrowsAsync<IOException>(() => ReplayAsync());
        Assert.Single(await IngestAsync());
        _log.Interrupted = null;
        Assert.Equal((1, 0), Counts(await ReplayAsync()));
        Assert.Empty(await IngestAsync());
        Assert.Equal(0, (await _letters.ListAsync(new DeadLetterFilter(), null, 10, Token)).Total);
    }

    [Fact]
    public async Task What_is_refused_again_has_one_letter_and_stays_listed_whatever_came_first()
    {
        var place = await AppendAsync(Topics.Interactions, "u", "broken");
        await IngestAsync();
        for (int round = 0; round < 3; round++)
        {
            // The new letter may be written before the old one is marked as done.
            if (round == 1) _log.Appended = IngestNowAsync;
            Assert.Equal(1, (await ReplayAsync(force: true)).Count(ReplayOutcome.Replayed));
            _log.Appended = null;
            await IngestAsync();
            var letter = Assert.Single((await _letters.ListAsync(new DeadLetterFilter(), null, 10, Token)).Letters);
            Assert.Equal(place, letter.Id);
            Assert.Equal(2 + round, await LengthAsync(Topics.Interactions));
        }

        async Task IngestNowAsync(string topic)
        {
            if (topic == Topics.Interactions) await IngestAsync();
        }
    }

    [Fact]
    public async Task A_newer_description_is_not_overwritten_unless_forced()
    {
        var late = _time.GetUtcNow().AddHours(1);
        await AppendAsync(Topics.Items, "changed", Item("changed", "old", late));
        await AppendAsync(Topics.Items, "deleted", Item("deleted", "old", late));
        await AppendAsync(Topics.Items, "newer by its time", Item("newer by its time", "new", _time.GetUtcNow()));
        await AppendAsync(Topics.Items, "still current", Item("still current", "first", _time.GetUtcNow()));
        await AppendAsync(Topics.Items, "still current", Item("still current", "second", late));
        await AppendAsync(Topics.Items, "changed", Item("changed", "new", null));
        await AppendAsync(Topics.Items, "deleted", null);
        await AppendAsync(Topics.Items, "changed by poison", Item("changed by poison", "old", late));
        await AppendAsync(Topics.Items, "changed by poison", "broken");
        await IngestAsync();
        _time.Advance(TimeSpan.FromHours(1));

        var report = await _letters.ReplayAsync(new DeadLetterFilter(RejectionReasons.FutureTimestamp), false, false, Token);
        Assert.Equal(["changed: the item was described anew", "deleted: the item was deleted"], report.Staying.Select(one => $"{KeyOf(one.Id)}: {one.Why[..one.Why.IndexOf(" by ", StringComparison.Ordinal)]}").Order(StringComparer.Ordinal));
        Assert.Equal(["changed by poison", "still current"], (await IngestAsync()).Select(Key).Order(StringComparer.Ordinal));

        Assert.Equal(2, (await _letters.ReplayAsync(new DeadLetterFilter(RejectionReasons.FutureTimestamp), force: true, false, Token)).Count(ReplayOutcome.Replayed));
        Assert.Equal(["changed", "deleted"], (await IngestAsync()).Select(Key).Order(StringComparer.Ordinal));

        string KeyOf(LogPlace id) => _keys[id];
    }

    [Fact]
    public async Task An_older_time_than_that_of_an_earlier_description_is_superseded()
    {
        var now = _time.GetUtcNow();
        await AppendAsync(Topics.Items, "k", Item("k", "new", now.AddMinutes(4)));
        var place = await AppendAsync(Topics.Items, "k", Item("k", "of a slow producer", now));
        // As an older build may have refused it: the letter's bytes are fine now.
        await _log.AppendAsync(Topics.DeadLetters, [DeadLetterJson.Record(new DeadLetter(RejectionReasons.InvalidField, "m", Topics.Items, place.Partition, place.Offset, "k"u8.ToArray(), Encoding.UTF8.GetBytes(Item("k", "of a slow producer", now)), 1))], Token);
        Assert.Equal(1, (await ReplayAsync()).Count(ReplayOutcome.Superseded));
    }

    [Fact]
    public async Task Who_wanted_to_be_forgotten_is_not_brought_back()
    {
        await AppendAsync(Topics.Interactions, "u", Event("u", "e1", _time.GetUtcNow().AddHours(1)));
        await AppendAsync(Topics.Interactions, "u", null);
        await AppendAsync(Topics.Interactions, "u", Event("u", "e2", _time.GetUtcNow().AddHours(1)));
        await IngestAsync();
        _time.Advance(TimeSpan.FromHours(1));
        var report = await ReplayAsync();
        Assert.Equal((1, 1), (report.Count(ReplayOutcome.Replayed), report.Count(ReplayOutcome.Superseded)));
        Assert.Contains("forgotten", Assert.Single(report.Staying).Why, StringComparison.Ordinal);
        Assert.Contains("e2", Encoding.UTF8.GetString(Assert.Single(await IngestAsync()).Value!.Value.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_letter_fits_into_the_log_however_long_the_literal_that_is_none()
    {
        await AppendAsync(Topics.Items, "k", "n" + new string('ü', 32_000));
        await IngestAsync();
        Assert.InRange(Assert.Single((await _letters.ListAsync(new DeadLetterFilter(), null, 10, Token)).Letters).Message.Length, 10, 300);
    }

    [Fact]
    public async Task A_letter_fits_into_the_log_whatever_its_headers_are()
    {
        LogHeader[] few = [.. Enumerable.Range(0, 100).Select(n => new LogHeader($"h{n}", new byte[300]))], many = [.. Enumerable.Range(0, 10_000).Select(_ => new LogHeader("", ReadOnlyMemory<byte>.Empty))];
        await AppendAsync(Topics.Interactions, "few", "broken" + new string('x', 30_000), few);
        await AppendAsync(Topics.Interactions, "many", "broken", many);
        await AppendAsync(Topics.Interactions, "odd", "broken", [new LogHeader(new string('\u0001', 60_000), ReadOnlyMemory<byte>.Empty)]);
        await IngestAsync();
        foreach (var (id, key) in _keys)
        {
            var letter = (await _letters.FindAsync(id, Token))!;
            Assert.Equal(key == "few" ? 100 : 0, letter.Headers?.Count ?? 0);
            Assert.Equal(key != "few", letter.Message.Contains("headers were too long to be kept", StringComparison.Ordinal));
        }
    }

    private readonly Dictionary<LogPlace, string> _keys = [];

    private static LogRecord Raw(string key, string? value, LogHeader[]? headers = null) => new(Encoding.UTF8.GetBytes(key), value is null ? null : Encoding.UTF8.GetBytes(value), headers);

    private static string Event(string user, string id, DateTimeOffset time) => $$$"""{"event_id":"{{{id}}}","user_id":"{{{user}}}","item_id":"i","type":"view","timestamp":{{{time.ToUnixTimeMilliseconds()}}}}""";

    private static string Item(string id, string title, DateTimeOffset? time) => $$$"""{"item_id":"{{{id}}}","title":"{{{title}}}"{{{(time is { } at ? $",\"updated_at\":{at.ToUnixTimeMilliseconds()}" : "")}}}}""";

    private static string Key(LogMessage message) => Encoding.UTF8.GetString(message.Key.Span);

    private static DeadLetterFilter Ids(params LogPlace[] ids) => new(Ids: ids.ToHashSet());

    private static (int Replayed, int Unreadable) Counts(ReplayReport report) => (report.Count(ReplayOutcome.Replayed), report.Count(ReplayOutcome.Unreadable));

    private Task<ReplayReport> ReplayAsync(bool force = false, bool dryRun = false) => _letters.ReplayAsync(new DeadLetterFilter(), force, dryRun, Token);

    private async Task<LogPlace> AppendAsync(string topic, string key, string? value, LogHeader[]? headers = null)
    {
        var at = (await _log.AppendAsync(topic, [Raw(key, value, headers)], Token))[0];
        var place = new LogPlace(topic, at.Partition, at.Offset);
        _keys[place] = key;
        return place;
    }

    private async Task<long> LengthAsync(string topic) => await _log.EndOffsetAsync(topic, 0, Token) + await _log.EndOffsetAsync(topic, 1, Token);

    /// <summary>What Ingest does: reads what is new, and writes letters about what it cannot read.</summary>
    /// <param name="again">From the beginning.</param>
    /// <returns>What it could read, tombstones aside.</returns>
    private async Task<List<LogMessage>> IngestAsync(bool again = false)
    {
        if (again) _seen.Clear();
        var readable = new List<LogMessage>();
        foreach (string topic in new[] { Topics.Interactions, Topics.Items })
            await foreach (var message in _embedded.ReadToEndAsync(topic, "test", partition => _seen.GetValueOrDefault($"{topic}/{partition}"), Token))
            {
                _seen[$"{topic}/{message.Partition}"] = message.Offset + 1;
                if (message.Value is null) continue;
                bool read = topic == Topics.Items ? ItemMessage.TryRead(message, ClockError, out _, out var rejection) : InteractionMessage.TryRead(message, ClockError, out _, out rejection);
                if (read) readable.Add(message with { Key = message.Key.ToArray(), Value = message.Value.Value.ToArray(), Headers = message.Headers is { } headers ? [.. headers.Select(header => new LogHeader(header.Name, header.Value.ToArray()))] : null });
                else await _embedded.AppendAsync(Topics.DeadLetters, [DeadLetterJson.Record(DeadLetterJson.Of(topic, message, rejection!))], Token);
            }
        return readable;
    }

    /// <summary>A log that takes nothing for one topic, as if the process had ended before, and tells when it took something.</summary>
    private sealed class InterruptedLog(IEventLog log) : IEventLog
    {
        public string? Interrupted { get; set; }
        public Func<string, Task>? Appended { get; set; }

        public async ValueTask<IReadOnlyList<LogPosition>> AppendAsync(string topic, IReadOnlyList<LogRecord> records, CancellationToken cancellationToken)
        {
            if (topic == Interrupted) throw new IOException("the process ended");
            var positions = await log.AppendAsync(topic, records, cancellationToken);
            if (Appended is { } appended) await appended(topic);
            return positions;
        }

        public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken) => log.PartitionsAsync(topic, cancellationToken);
        public ValueTask<long> BeginOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => log.BeginOffsetAsync(topic, partition, cancellationToken);
        public ValueTask<long> EndOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => log.EndOffsetAsync(topic, partition, cancellationToken);
        public ValueTask<long> CommittedAsync(string topic, string group, int partition, CancellationToken cancellationToken) => log.CommittedAsync(topic, group, partition, cancellationToken);
        public ILogSubscription Subscribe(string topic, string group, Func<int, long> startAt, PartitionSharing sharing = PartitionSharing.None) => log.Subscribe(topic, group, startAt, sharing);
    }
}
