using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.InMemory;

/// <summary>A log of a few partitions a topic, one unless asked for more.</summary>
internal sealed class MemoryEventLog : IEventLog
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Topic, int Partition), List<LogMessage>> _topics = [];
    private readonly Dictionary<(string Topic, string Group, int Partition), long> _committed = [];
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Partitions { get; init; } = 1;

    /// <summary>As when the servers that hold it are down: nothing is appended.</summary>
    public bool Unreachable { get; set; }

    public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken) => ValueTask.FromResult(Partitions);

    public ValueTask<IReadOnlyList<LogPosition>> AppendAsync(string topic, IReadOnlyList<LogRecord> records, CancellationToken cancellationToken)
    {
        if (Unreachable) return ValueTask.FromException<IReadOnlyList<LogPosition>>(new IOException("no answer"));
        lock (_lock)
        {
            var positions = new List<LogPosition>();
            foreach (var record in records)
            {
                int partition = record.Key.Sum(one => one) % Partitions;
                var messages = Messages(topic, partition);
                positions.Add(new LogPosition(partition, messages.Count));
                messages.Add(new LogMessage(partition, messages.Count, 1_700_000_000_000, record.Key, record.Value is null ? (ReadOnlyMemory<byte>?)null : record.Value, record.Headers));
            }
            _grown.SetResult();
            _grown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return ValueTask.FromResult<IReadOnlyList<LogPosition>>(positions);
        }
    }

    public ValueTask<long> BeginOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => ValueTask.FromResult(0L);

    public ValueTask<long> EndOffsetAsync(string topic, int partition, CancellationToken cancellationToken)
    {
        lock (_lock) return ValueTask.FromResult((long)Messages(topic, partition).Count);
    }

    public ValueTask<long> CommittedAsync(string topic, string group, int partition, CancellationToken cancellationToken)
    {
        lock (_lock) return ValueTask.FromResult(_committed.GetValueOrDefault((topic, group, partition)));
    }

    public ILogSubscription Subscribe(string topic, string group, Func<int, long> startAt, PartitionSharing sharing = PartitionSharing.None) => new Subscription(this, topic, group, [.. Enumerable.Range(0, Partitions).Select(startAt)]);

    private List<LogMessage> Messages(string topic, int partition) => _topics.TryGetValue((topic, partition), out var messages) ? messages : _topics[(topic, partition)] = [];

    private sealed class Subscription(MemoryEventLog log, string topic, string group, long[] next) : ILogSubscription
    {
        private readonly HashSet<int> _begun = [];

        public async ValueTask<LogBatch> ReadAsync(int max, CancellationToken cancellationToken)
        {
            while (true)
            {
                Task grown;
                lock (log._lock)
                {
                    grown = log._grown.Task;
                    for (int partition = 0; partition < next.Length; partition++)
                    {
                        var batch = log.Messages(topic, partition).Skip((int)next[partition]).Take(max).ToList();
                        if (batch.Count == 0) continue;
                        next[partition] += batch.Count;
                        return new LogBatch(partition, batch, startsAnew: _begun.Add(partition));
                    }
                }
                await grown.WaitAsync(cancellationToken);
            }
        }

        public ValueTask CommitAsync(int partition, long nextOffset, CancellationToken cancellationToken)
        {
            lock (log._lock) log._committed[(topic, group, partition)] = nextOffset;
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
