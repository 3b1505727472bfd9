using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.DeadLetters;
using BeeFormer.Streaming.EventLog.Embedded;
using BeeFormer.Streaming.EventLog.Events;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.EventLog.Tests;

public sealed class LetterErasureTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-letters-").FullName;
    private readonly EmbeddedEventLog _log;

    public LetterErasureTests() => _log = new EmbeddedEventLog(_folder, new EmbeddedEventLogOptions { Partitions = 2, MaxRecordBytes = 65536 }, TimeProvider.System, NullLogger<EmbeddedEventLog>.Instance);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _log.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // a log that erases nothing: they are off the list all the same
    public async Task Letters_about_the_user_are_gone_and_all_others_stay(bool appendOnly)
    {
        IEventLog log = appendOnly ? new AppendOnly(_log) : _log;
        await _log.AppendAsync(Topics.DeadLetters,
        [
            Letter(1, "ann", "{\"torn\": "), Letter(2, "bob", "{\"torn\": "), Letter(3, "bob", """{"user_id":"ann"}"""), Letter(4, "ann", "{\"torn\": ", timestampMs: 101),
            new LogRecord("no letter"u8.ToArray(), "but about ann"u8.ToArray()),
        ], Token);
        for (int repetition = 0; repetition < 2; repetition++) // the second finds nothing that is left to do, or does it once more
        {
            await LetterErasure.EraseAsync(log, [(new UserId("ann"), 100), (new UserId("nobody"), 100)], Token);
            using var letters = new DeadLetterLog(log, TimeSpan.FromMinutes(5), TimeProvider.System);
            Assert.Equal([2, 4], (await letters.ListAsync(new DeadLetterFilter(null, null), null, 10, Token)).Letters.Select(letter => letter.Id.Offset));
        }
        var values = new List<string>();
        await _log.EraseAsync(Topics.DeadLetters, message =>
        {
            if (message.Value is { } value) values.Add(DeadLetterJson.TryRead(value, out var letter) ? $"{letter.Offset}" : "none");
            return false;
        }, Token);
        Assert.Equal(appendOnly ? ["1", "2", "3", "4", "none"] : ["2", "4"], values.Order(StringComparer.Ordinal));
    }

    private static LogRecord Letter(long offset, string key, string value, long timestampMs = 99) =>
        DeadLetterJson.Record(new DeadLetter("invalid_json", "no JSON", Topics.Interactions, 0, offset, Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value), timestampMs));

    private sealed class AppendOnly(IEventLog inner) : IEventLog
    {
        public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken) => inner.PartitionsAsync(topic, cancellationToken);
        public ValueTask<IReadOnlyList<LogPosition>> AppendAsync(string topic, IReadOnlyList<LogRecord> records, CancellationToken cancellationToken) => inner.AppendAsync(topic, records, cancellationToken);
        public ValueTask<long> BeginOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => inner.BeginOffsetAsync(topic, partition, cancellationToken);
        public ValueTask<long> EndOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => inner.EndOffsetAsync(topic, partition, cancellationToken);
        public ValueTask<long> CommittedAsync(string topic, string group, int partition, CancellationToken cancellationToken) => inner.CommittedAsync(topic, group, partition, cancellationToken);
        public ILogSubscription Subscribe(string topic, string group, Func<int, long> startAt, PartitionSharing sharing) => inner.Subscribe(topic, group, startAt, sharing);
    }
}
