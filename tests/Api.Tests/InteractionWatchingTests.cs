using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class InteractionWatchingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly Variants One = new([new Variant("a", 1, new RankingOptions(), null, new Dictionary<string, string>())], new RankingOptions(), "");

    [Fact]
    public async Task A_log_that_does_not_answer_is_asked_again_and_no_event_is_lost_or_doubled()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var meters = new ServiceCollection().AddMetrics().AddSingleton<VariantMetrics>().BuildServiceProvider();
        var impressions = new Impressions(One, meters.GetRequiredService<VariantMetrics>(), Options.Create(new ExperimentOptions()), Options.Create(new UserVectorOptions()), time);
        var log = new TroubledLog(failingEnds: 2, failingReads: 3);
        await AppendAsync(log, "before"); // was there at start: not of interest
        using var watching = new InteractionWatching(log, One, impressions, Read, time, NullLogger<InteractionWatching>.Instance);
        await watching.StartAsync(Token);
        await PassAsync(() => watching.Watching.IsCompleted);
        Assert.Equal(3, log.AskedForEnds);

        foreach (string user in (string[])["before", "u", "v"]) impressions.Show(new UserId(user), One.All[0], [new RankedItem("x", "x", 0, null)], continues: false);
        await AppendAsync(log, "u");
        await AppendAsync(log, "v");
        await PassAsync(() => impressions.Read()[0].Tally.Purchases == 2);
        Assert.True(log.AskedToRead > 3, $"{log.AskedToRead}");
        await watching.StopAsync(Token);
        Assert.Equal(new Tally(3, 3, 0, 2, 2), impressions.Read()[0].Tally);

        InteractionEvent? Read(LogMessage message) => new(null, new UserId(JsonSerializer.Deserialize<string>(message.Value!.Value.Span)!), new ItemId("x"), "purchase", null, time.GetUtcNow().ToUnixTimeMilliseconds(), null);

        Task PassAsync(Func<bool> holds) => ApiUnderTest.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(holds());
        });
    }

    [Fact]
    public async Task Where_no_variants_are_configured_nothing_is_read()
    {
        using var meters = new ServiceCollection().AddMetrics().AddSingleton<VariantMetrics>().BuildServiceProvider();
        var none = new Variants([], new RankingOptions(), "");
        var log = new TroubledLog(0, 0);
        using var watching = new InteractionWatching(log, none, new Impressions(none, meters.GetRequiredService<VariantMetrics>(), Options.Create(new ExperimentOptions()), Options.Create(new UserVectorOptions()), TimeProvider.System), _ => null, TimeProvider.System, NullLogger<InteractionWatching>.Instance);
        await watching.StartAsync(Token);
        await watching.ExecuteTask!.WaitAsync(Token);
        Assert.Equal((0, 0), (log.AskedForEnds, log.AskedToRead));
    }

    private static async Task AppendAsync(TroubledLog log, string user) => await log.AppendAsync(Topics.Interactions, [new LogRecord([1], JsonSerializer.SerializeToUtf8Bytes(user))], Token);

    /// <summary>Fails so many times when it is asked for its end, and when it is read.</summary>
    private sealed class TroubledLog(int failingEnds, int failingReads) : IEventLog
    {
        private readonly MemoryEventLog _log = new();

        public int AskedForEnds;
        public int AskedToRead;

        public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken) => _log.PartitionsAsync(topic, cancellationToken);
        public ValueTask<IReadOnlyList<LogPosition>> AppendAsync(string topic, IReadOnlyList<LogRecord> records, CancellationToken cancellationToken) => _log.AppendAsync(topic, records, cancellationToken);
        public ValueTask<long> BeginOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => _log.BeginOffsetAsync(topic, partition, cancellationToken);
        public ValueTask<long> CommittedAsync(string topic, string group, int partition, CancellationToken cancellationToken) => _log.CommittedAsync(topic, group, partition, cancellationToken);
        public ILogSubscription Subscribe(string topic, string group, Func<int, long> startAt, PartitionSharing sharing = PartitionSharing.None) => new Subscription(this, _log.Subscribe(topic, group, startAt));

        public ValueTask<long> EndOffsetAsync(string topic, int partition, CancellationToken cancellationToken) =>
            Interlocked.Increment(ref AskedForEnds) > failingEnds ? _log.EndOffsetAsync(topic, partition, cancellationToken) : ValueTask.FromException<long>(new IOException("no answer"));

        private sealed class Subscription(TroubledLog owner, ILogSubscription inner) : ILogSubscription
        {
            public ValueTask<LogBatch> ReadAsync(int max, CancellationToken cancellationToken) =>
                Interlocked.Increment(ref owner.AskedToRead) > owner.FailingReads ? inner.ReadAsync(max, cancellationToken) : ValueTask.FromException<LogBatch>(new IOException("no answer"));

            public ValueTask CommitAsync(int partition, long nextOffset, CancellationToken cancellationToken) => inner.CommitAsync(partition, nextOffset, cancellationToken);
            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }

        private int FailingReads => failingReads;
    }
}
