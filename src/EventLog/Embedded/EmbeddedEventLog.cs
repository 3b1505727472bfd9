using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>The log as files under one folder: <c>&lt;topic&gt;/p&lt;n&gt;/</c>. One process owns the folder.</summary>
internal sealed class EmbeddedEventLog : IEventLog, IAsyncDisposable, IDisposable
{
    private readonly string _folder;
    private readonly EmbeddedEventLogOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FileStream _ownership;
    private readonly Dictionary<string, TopicLog> _topics = [];
    private readonly Lock _gate = new();
    private bool _disposed;

    public EmbeddedEventLog(string folder, EmbeddedEventLogOptions options, TimeProvider time, ILogger<EmbeddedEventLog> logger)
    {
        if (options.Problem() is { } problem) throw new ArgumentException(problem, nameof(options));
        (_folder, _options, _time, _logger) = (Path.GetFullPath(folder), options, time, logger);
        Directory.CreateDirectory(_folder);
        string lockPath = Path.Combine(_folder, "lock");
        try
        {
            _ownership = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException taken)
        {
            throw new IOException($"{_folder}: the event log is in use by another process (cannot lock {lockPath}); stop it or choose another data folder", taken);
        }
    }

    public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken) => new(Topic(topic).Partitions.Length);

    public async ValueTask<IReadOnlyList<LogPosition>> AppendAsync(string topic, IReadOnlyList<LogRecord> records, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var log = Topic(topic);
        int most = topic == Topics.DeadLetters ? _options.MaxDeadLetterBytes : _options.MaxRecordBytes;
        for (int n = 0; n < records.Count; n++)
        {
            long bytes = RecordFormat.Size(records[n]) - RecordFormat.HeaderBytes;
            if (bytes > most) throw new ArgumentException($"record {n} for topic {topic} has {bytes} bytes; at most {most} are allowed", nameof(records));
        }
        if (records.Count == 0) return [];
        using var activity = LogTracing.StartAppend(topic, records.Count);
        records = LogTracing.Traced(topic, records); // there is more room than that beyond the bound

        var partitionOf = new int[records.Count];
        var byPartition = new List<LogRecord>?[log.Partitions.Length];
        for (int n = 0; n < records.Count; n++)
            (byPartition[partitionOf[n] = log.PartitionOf(records[n].Key)] ??= []).Add(records[n]);
        var appends = byPartition.Select((some, p) => some is null ? Task.FromResult(0L) : log.Partitions[p].AppendAsync(some)).ToArray();
        long[] next = await Task.WhenAll(appends).WaitAsync(cancellationToken).ConfigureAwait(false);
        var positions = new LogPosition[records.Count];
        for (int n = 0; n < positions.Length; n++) positions[n] = new LogPosition(partitionOf[n], next[partitionOf[n]]++);
        return positions;
    }

    public ValueTask<long> BeginOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => new(Topic(topic).Partition(topic, partition).BeginOffset);

    public ValueTask<long> EndOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => new(Topic(topic).Partition(topic, partition).EndOffset);

    public ValueTask<long> CommittedAsync(string topic, string group, int partition, CancellationToken cancellationToken) => new(Topic(topic).CommittedOf(group, partition));

    public ILogSubscription Subscribe(string topic, string group, Func<int, long> startAt, PartitionSharing sharing = PartitionSharing.None) => new EmbeddedSubscription(topic, Topic(topic), group, startAt);

    public async ValueTask<long?> EraseAsync(string topic, Func<LogMessage, bool> which, CancellationToken cancellationToken)
    {
        var partitions = Topic(topic).Partitions;
        long erased = 0;
        for (int p = 0; p < partitions.Length; p++) erased += await partitions[p].EraseAsync(p, which, cancellationToken).ConfigureAwait(false);
        return erased;
    }

    /// <summary>Drops now what retention lets go of the topic.</summary>
    internal Task DropOldAsync(string topic) => Topic(topic).DropOldAsync();

    public async ValueTask DisposeAsync()
    {
        TopicLog[] topics;
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            topics = [.. _topics.Values];
        }
        foreach (var topic in topics) await topic.DisposeAsync().ConfigureAwait(false);
        await _ownership.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>For containers that are disposed synchronously.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private TopicLog Topic(string topic)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_topics.TryGetValue(topic, out var known)) return known;
            if (topic.Length is 0 or > 100 || topic.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
                throw new ArgumentException($"topic name '{topic}': expected 1 to 100 letters, digits, '-' or '_'", nameof(topic));
            return _topics[topic] = new TopicLog(topic, Path.Combine(_folder, topic), _options, _time, _logger);
        }
    }
}
