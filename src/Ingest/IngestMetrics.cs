using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace BeeFormer.Streaming.Ingest;

/// <summary>Counters of the meter <c>BeeFormer.Streaming.Ingest</c>, each tagged with its topic.</summary>
internal sealed class IngestMetrics
{
    public const string MeterName = "BeeFormer.Streaming.Ingest";

    private readonly Counter<long> _events;
    private readonly Counter<long> _segments;
    private readonly Counter<long> _deadLetters;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _keptOut;
    private readonly ConcurrentDictionary<(string Topic, int Partition), long> _lag = new();
    private readonly ConcurrentDictionary<(string Topic, int Partition), long> _waitingSince = new();

    public IngestMetrics(IMeterFactory meters, TimeProvider time)
    {
        var meter = meters.Create(MeterName);
        _events = meter.CreateCounter<long>("ingest.events", "{event}", "Messages that became durable in segments, by topic");
        _segments = meter.CreateCounter<long>("ingest.segments", "{segment}", "Segments written, by topic");
        _deadLetters = meter.CreateCounter<long>("ingest.dead_letters", "{event}", "Dead letters: messages that could not be read, by topic");
        _keptOut = meter.CreateCounter<long>("ingest.kept_out", "{event}", "Interactions of erased users that are not newer than the erasure");
        _failures = meter.CreateCounter<long>("ingest.failures", "{failure}", "Attempts that a store refused and that are repeated, by topic");
        meter.CreateObservableGauge("ingest.lag", () => _lag.Select(pair => new Measurement<long>(pair.Value, Tag(pair.Key.Topic), new("partition", pair.Key.Partition))), "{event}", "Messages in the log that no segment covers, by topic and partition");
        meter.CreateObservableGauge("ingest.age", () => _waitingSince.Select(pair => new Measurement<double>(
            Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - pair.Value) / 1000.0, Tag(pair.Key.Topic), new("partition", pair.Key.Partition))), "s", "Age in the log of the oldest message that was read and has not landed, by topic and partition");
    }

    /// <param name="logTimestampMs">When the log took the first message of an open segment.</param>
    public void SegmentOpened(string topic, int partition, long logTimestampMs) => _waitingSince.TryAdd((topic, partition), logTimestampMs);

    public void SegmentWritten(string topic, int partition, long events, long lag)
    {
        _events.Add(events, Tag(topic));
        _segments.Add(1, Tag(topic));
        _lag[(topic, partition)] = lag;
        _waitingSince.TryRemove((topic, partition), out _);
    }

    public void DeadLettered(string topic, int count) => _deadLetters.Add(count, Tag(topic));

    public void KeptOut() => _keptOut.Add(1);

    public void Failed(string topic) => _failures.Add(1, Tag(topic));

    private static KeyValuePair<string, object?> Tag(string topic) => new("topic", topic);
}
