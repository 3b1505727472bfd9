using System.Diagnostics.Metrics;
using BeeFormer.Streaming.EventLog.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

/// <summary>Logs on one broker, all with topics of their own; closes what it opened.</summary>
internal sealed class KafkaLogs(string address) : IAsyncDisposable
{
    private readonly string _prefix = $"t{Guid.NewGuid():N}-";
    private readonly List<KafkaEventLog> _open = [];

    /// <summary>Quick to notice and to give up, as tests like it.</summary>
    public KafkaOptions Options(int partitions = 1) => new()
    {
        BootstrapServers = address,
        TopicPrefix = _prefix,
        MaxRecordBytes = 65536,
        MetadataRefresh = TimeSpan.FromSeconds(0.5),
        Topics = { ["items"] = new() { Partitions = partitions }, ["interactions"] = new() { Partitions = partitions } },
        Client = { ["heartbeat.interval.ms"] = "200", ["session.timeout.ms"] = "6000", ["reconnect.backoff.max.ms"] = "500" },
    };

    public KafkaEventLog Open(int partitions = 1) => Open(Options(partitions));

    public KafkaEventLog Open(KafkaOptions options)
    {
        var log = new KafkaEventLog(options, Health, Metrics, TimeProvider.System, Logger);
        _open.Add(log);
        return log;
    }

    public KafkaMetrics Metrics { get; } = new(new Meters());
    public KafkaHealth Health => field ??= new KafkaHealth(null, Metrics, TimeProvider.System, NullLogger<KafkaHealth>.Instance);
    public KeptLog<KafkaEventLog> Logger { get; } = new();

    public IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = address }).Build();

    /// <summary>As the cluster knows it.</summary>
    public string Name(string topic) => _prefix + topic;

    public async ValueTask DisposeAsync()
    {
        foreach (var log in _open) await log.DisposeAsync();
    }

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);
        public void Dispose() { }
    }
}
