using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.InMemory;

/// <summary>A log with one partition a topic.</summary>
internal sealed class MemoryEventLog : IEventLog
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<LogMessage>> _topics = [];
    private readonly Dictionary<(string Topic, string Group), long> _committed = [];
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>As when the servers that hold it are down: nothing is appended.</summary>
    public bool Unreachable { get; set; }

    public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken) => ValueTask.FromResult(1);

    public ValueTask<IReadOnlyList<LogPosition>> AppendAsync(string topic, IReadOnlyList<LogRecord> records, CancellationToken cancellationToken)
    {
        if (Unreachable) return ValueTask.FromException<IReadOnlyList<LogPosition>>(new IOException("no answer"));
        lock (_lock)
        {
            var messages = Messages(topic);
            var positions = new List<LogPosition>();
            foreach (var record in records)
            {
                positions.Add(new LogPosition(0, messages.Count));
                messages.Add(new LogMessage(0, messages.Count, 1_700_000_000_000, record.Key, record.Value is null ? (ReadOnlyMemory<byte>?)null : record.Value, record.Headers));
            }
            _grown.SetResult();
            _grown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return ValueTask.FromResult<IReadOnlyList<LogPosition>>(positions);
        }
    }

    public ValueTask<long> BeginOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => ValueTask.FromResult(0L);

    public ValueTask<long> EndOffsetAsync(string topic, int partition, CancellationToken cancellationToken)
    {
        lock (_lock) return ValueTask.FromResult((long)Messages(topic).Count);
    }

    public ValueTask<long> CommittedAsync(string topic, string group, int partition, CancellationToken cancellationToken)
    {
        lock (_lock) return ValueTask.FromResult(_committed.GetValueOrDefault((topic, group)));
    }

    public ILogSubscription Subscribe(string topic, string group, Func<int, long> startAt, PartitionSharing sharing = PartitionSharing.None) => new Subscription(this, topic, group, startAt(0));

    private List<LogMessage> Messages(string topic) => _topics.TryGetValue(topic, out var messages) ? messages : _topics[topic] = [];

    private sealed class Subscription(MemoryEventLog log, string topic, string group, long next) : ILogSubscription
    {
        private long _next = next;
        private bool _begun;

        public async ValueTask<LogBatch> ReadAsync(int max, CancellationToken cancellationToken)
        {
            while (true)
            {
                Task grown;
                lock (log._lock)
                {
                    grown = log._grown.Task;
                    var batch = log.Messages(topic).Skip((int)_next).Take(max).ToList();
                    bool startsAnew = !_begun;
                    _begun |= batch.Count > 0;
                    _next += batch.Count;
                    if (batch.Count > 0) return new LogBatch(0, batch, startsAnew);
                }
                await grown.WaitAsync(cancellationToken);
            }
        }

        public ValueTask CommitAsync(int partition, long nextOffset, CancellationToken cancellationToken)
        {
            lock (log._lock) log._committed[(topic, group)] = nextOffset;
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
