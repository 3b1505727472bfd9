using System.Threading.Channels;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>A log that hands out what the test says, when it says so: partitions that go and come back, offsets that are missing.</summary>
internal sealed class ScriptedEventLog : IEventLog
{
    private readonly Channel<Func<Func<int, long>, LogBatch>> _script = Channel.CreateUnbounded<Func<Func<int, long>, LogBatch>>();

    public int Subscriptions { get; private set; }
    public List<LogRecord> Appended { get; } = [];

    /// <param name="batch">Makes the batch from what the reader says that it starts at.</param>
    public void Deliver(Func<Func<int, long>, LogBatch> batch) => _script.Writer.TryWrite(batch);

    public void Deliver(int partition, bool startsAnew, params LogMessage[] messages) => Deliver(_ => new LogBatch(partition, messages, startsAnew));

    public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken) => new(1);

    public ValueTask<IReadOnlyList<LogPosition>> AppendAsync(string topic, IReadOnlyList<LogRecord> records, CancellationToken cancellationToken)
    {
        lock (Appended) Appended.AddRange(records);
        return new([]);
    }

    public ValueTask<long> BeginOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => new(0);
    public ValueTask<long> EndOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => new(topic == Contracts.Topics.DeadLetters ? 0 : 1000);
    public ValueTask<long> CommittedAsync(string topic, string group, int partition, CancellationToken cancellationToken) => new(0);

    public ILogSubscription Subscribe(string topic, string group, Func<int, long> startAt, PartitionSharing sharing = PartitionSharing.None)
    {
        if (topic == Contracts.Topics.Items) return new Subscription(Channel.CreateUnbounded<Func<Func<int, long>, LogBatch>>(), startAt);
        Assert.Equal(PartitionSharing.Group, sharing);
        Subscriptions++;
        return new Subscription(_script, startAt);
    }

    private sealed class Subscription(Channel<Func<Func<int, long>, LogBatch>> script, Func<int, long> startAt) : ILogSubscription
    {
        public async ValueTask<LogBatch> ReadAsync(int max, CancellationToken cancellationToken) => (await script.Reader.ReadAsync(cancellationToken))(startAt);
        public ValueTask CommitAsync(int partition, long nextOffset, CancellationToken cancellationToken) => default;
        public ValueTask DisposeAsync() => default;
    }
}
