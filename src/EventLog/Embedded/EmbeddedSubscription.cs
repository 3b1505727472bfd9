namespace BeeFormer.Streaming.EventLog.Embedded;

internal sealed class EmbeddedSubscription(string topic, TopicLog log, string group, Func<int, long> startAt) : ILogSubscription
{
    private readonly (LogFile File, LogScan Scan)?[] _positions = new (LogFile, LogScan)?[log.Partitions.Length];
    private readonly long[] _next = [.. Enumerable.Repeat(-1L, log.Partitions.Length)];
    private int _turn;
    private readonly bool[] _begun = new bool[log.Partitions.Length];
    private bool _disposed;

    public async ValueTask<LogBatch> ReadAsync(int max, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(_disposed, this);
            var committed = log.Committed; // before looking, or a commit in between would be slept through
            for (int n = 0; n < _positions.Length; n++)
            {
                int partition = _turn;
                _turn = (_turn + 1) % _positions.Length;
                if (ReadPartition(partition, max) is { } batch) return batch;
            }
            await committed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask CommitAsync(int partition, long nextOffset, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _ = log.Partition(topic, partition);
        ArgumentOutOfRangeException.ThrowIfNegative(nextOffset);
        log.Commit(group, partition, nextOffset);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        if (_disposed) return ValueTask.CompletedTask;
        _disposed = true;
        for (int p = 0; p < _positions.Length; p++) log.Partitions[p].Release(_positions[p]);
        return ValueTask.CompletedTask;
    }

    private LogBatch? ReadPartition(int partition, int max)
    {
        if (_next[partition] < 0)
        {
            long start = startAt(partition), end = log.Partitions[partition].EndOffset;
            if (start < 0 || start > end)
                throw new InvalidDataException($"{topic}/{partition}: {group} asks for offset {start}, but the log ends at {end}; the log and the stores do not belong together");
            _next[partition] = start;
        }
        var messages = new MessageMemory();
        log.Partitions[partition].Read(ref _positions[partition], ref _next[partition], partition, max, messages);
        if (messages.ToBatch(partition, startsAnew: !_begun[partition]) is not { } batch) return null;
        _next[partition] = batch.NextOffset;
        _begun[partition] = true;
        return batch;
    }
}
