using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>What every reader of the log needs of it.</summary>
internal sealed record KafkaParts(KafkaOptions Options, KafkaTopics Topics, KafkaOffsets Offsets, KafkaRequests Requests, KafkaHealth Health, KafkaMetrics Metrics, TimeProvider Time, ILogger Logger);
