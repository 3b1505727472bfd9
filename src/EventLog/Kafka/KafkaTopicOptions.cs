using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>One topic: section <c>Kafka:Topics:&lt;name&gt;</c>. An existing topic is compared with it, never changed.</summary>
public sealed record KafkaTopicOptions
{
    /// <summary>Default 8; 1 to 1,000. At most so many readers share the topic.</summary>
    public int Partitions { get; init; } = 8;

    /// <summary>Age at which the broker may drop messages; at least 1 minute. Default 7 days; none for a compacted topic.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>Whether the broker keeps the newest message of each key and drops the others. Default: true for <c>items</c> only.</summary>
    public bool? Compacted { get; init; }

    /// <summary>Copies of each message. Default: 3, or as many as there are brokers.</summary>
    public short? ReplicationFactor { get; init; }

    internal bool IsCompacted(string topic) => Compacted ?? topic == Topics.Items;

    internal long RetentionMs(string topic) => Retention is { } age ? (long)age.TotalMilliseconds : IsCompacted(topic) ? -1 : (long)TimeSpan.FromDays(7).TotalMilliseconds;
}
