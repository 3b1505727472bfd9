using BeeFormer.Streaming.EventLog.Embedded;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>The log as topics of a Kafka cluster, shared by any number of processes.</summary>
internal sealed class KafkaEventLog : IEventLog, IAsyncDisposable, IDisposable
{
    private readonly KafkaParts _kafka;
    private readonly KafkaProducer _producer;
    private readonly KafkaMetadata _metadata;
    private readonly IAdminClient _admin;
    private readonly GroupPositions _positions;
    private bool _disposed;

    public KafkaEventLog(KafkaOptions options, KafkaHealth health, KafkaMetrics metrics, TimeProvider time, ILogger<KafkaEventLog> logger)
    {
        _producer = new KafkaProducer(options, health, metrics, time, logger);
        _metadata = new KafkaMetadata(options, logger);
        _admin = new DependentAdminClientBuilder(_producer.Handle).Build();
        var requests = new KafkaRequests(options, time, logger);
        _positions = new GroupPositions(options, requests, logger);
        _kafka = new KafkaParts(options, new KafkaTopics(_metadata, _admin, requests, options, logger), new KafkaOffsets(_admin, requests), requests, health, metrics, time, logger);
    }

    public KafkaTopics Topics => _kafka.Topics;

    public async ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken)
    {
        await EnsureAsync(topic, cancellationToken).ConfigureAwait(false);
        return await Topics.CountAsync(topic, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<LogPosition>> AppendAsync(string topic, IReadOnlyList<LogRecord> records, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int most = _kafka.Options.LargestRecord(topic);
        for (int n = 0; n < records.Count; n++)
        {
            long bytes = RecordFormat.Size(records[n]) - RecordFormat.HeaderBytes;
            if (bytes > most) throw new ArgumentException($"record {n} for topic {topic} has {bytes} bytes; at most {most} are allowed", nameof(records));
        }
        if (records.Count == 0) return [];
        using var activity = LogTracing.StartAppend(topic, records.Count);
        return await _producer.AppendAsync(await EnsureAsync(topic, cancellationToken).ConfigureAwait(false), LogTracing.Traced(topic, records), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<long> BeginOffsetAsync(string topic, int partition, CancellationToken cancellationToken) =>
        await _kafka.Offsets.BeginAsync(await EnsureAsync(topic, cancellationToken).ConfigureAwait(false), partition, cancellationToken).ConfigureAwait(false);

    public async ValueTask<long> EndOffsetAsync(string topic, int partition, CancellationToken cancellationToken) =>
        await _kafka.Offsets.EndAsync(await EnsureAsync(topic, cancellationToken).ConfigureAwait(false), partition, cancellationToken).ConfigureAwait(false);

    public async ValueTask<long> CommittedAsync(string topic, string group, int partition, CancellationToken cancellationToken)
    {
        string name = await EnsureAsync(topic, cancellationToken).ConfigureAwait(false);
        return await _positions.CommittedAsync(name, GroupId(topic, group), partition, cancellationToken).ConfigureAwait(false);
    }

    public ILogSubscription Subscribe(string topic, string group, Func<int, long> startAt, PartitionSharing sharing = PartitionSharing.None)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new KafkaSubscription(topic, GroupId(topic, group), startAt, sharing, _kafka);
    }

    /// <summary>As configured: of an existing topic with other settings a warning tells at the start.</summary>
    public ValueTask<TimeSpan?> RetentionAsync(string topic, CancellationToken cancellationToken) =>
        new(_kafka.Options.Topic(topic).RetentionMs(topic) is >= 0 and var ms ? TimeSpan.FromMilliseconds(ms) : null);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true)) return;
        if (!await _kafka.Requests.CloseAsync().ConfigureAwait(false))
        {
            _kafka.Logger.LogWarning("A question to Kafka at {Servers} has no end; its client is left open", _kafka.Options.BootstrapServers);
            _producer.Flush();
            return;
        }
        _positions.Dispose();
        _metadata.Dispose();
        _admin.Dispose();
        _producer.Dispose();
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private async Task<string> EnsureAsync(string topic, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        await Topics.EnsureAsync(topic, cancellationToken).ConfigureAwait(false);
        return Topics.FullName(topic);
    }

    // One group a topic: readers of one topic that come and go do not disturb those of another.
    private string GroupId(string topic, string group) => $"{_kafka.Options.TopicPrefix}{group}.{topic}";
}
