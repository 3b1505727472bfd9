using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Confluent.Kafka;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Instruments of the meter <c>BeeFormer.Streaming.EventLog</c>.</summary>
internal sealed class KafkaMetrics
{
    public const string MeterName = "BeeFormer.Streaming.EventLog";

    private readonly ConcurrentDictionary<string, (string Group, KafkaStatistics Statistics)> _clients = new();
    private readonly Counter<long> _errors;
    private readonly Counter<long> _skipped;

    public KafkaMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _errors = meter.CreateCounter<long>("eventlog.errors", "{error}", "Errors that the Kafka client reported, by code");
        _skipped = meter.CreateCounter<long>("eventlog.skipped", "{message}", "Messages that retention removed before their reader came to them");
        meter.CreateObservableGauge("eventlog.lag", () => Each<long>(client => client.Statistics.Lags.Select(lag =>
            new Measurement<long>(lag.Messages, new("group", client.Group), new("topic", lag.Topic), new("partition", lag.Partition)))), "{message}", "Messages that have not come to the reader's process yet");
        meter.CreateObservableGauge("eventlog.append.queue", () => _clients.Values.Sum(client => client.Statistics.Queued), "{message}", "Messages that wait for their acknowledgement");
        meter.CreateObservableGauge("eventlog.round_trip", () => Each<double>(client => client.Statistics.Brokers.Where(broker => broker.Connected).Select(broker =>
            new Measurement<double>(broker.RoundTripMs, Client(client.Statistics), new("broker", broker.Name)))), "ms", "Mean time between a request and its answer");
        meter.CreateObservableCounter("eventlog.sent", () => Each<long>(client => [new Measurement<long>(client.Statistics.Sent, Client(client.Statistics))]), "{message}", "Messages sent to brokers");
        meter.CreateObservableCounter("eventlog.received", () => Each<long>(client => [new Measurement<long>(client.Statistics.Received, Client(client.Statistics))]), "{message}", "Messages received from brokers");
    }

    /// <param name="group">Empty for the producer.</param>
    public void Report(string group, KafkaStatistics statistics) => _clients[statistics.Client] = (group, statistics);

    /// <summary>The client is gone: its last figures are no longer true.</summary>
    public void Forget(string client) => _clients.TryRemove(client, out _);

    public void Failed(ErrorCode code) => _errors.Add(1, new KeyValuePair<string, object?>("code", code.ToString()));

    public void Skipped(string topic, int partition, long messages) => _skipped.Add(messages, new KeyValuePair<string, object?>("topic", topic), new("partition", partition));

    private IEnumerable<Measurement<T>> Each<T>(Func<(string Group, KafkaStatistics Statistics), IEnumerable<Measurement<T>>> of) where T : struct => _clients.Values.SelectMany(of);

    private static KeyValuePair<string, object?> Client(KafkaStatistics statistics) => new("client", statistics.Client);
}
