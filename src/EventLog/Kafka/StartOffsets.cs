using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Where reading starts: what the reader's store says, held against what the partition holds.</summary>
internal sealed class StartOffsets(string topic, string group, Func<int, long> startAt, KafkaParts kafka)
{
    /// <summary>Asks the store for each partition.</summary>
    /// <exception cref="InvalidDataException">An offset lies beyond the end.</exception>
    public List<TopicPartitionOffset> Of(IReadOnlyCollection<int> partitions, CancellationToken cancellationToken)
    {
        var bounds = kafka.Offsets.BoundsAsync(topic, partitions, cancellationToken).GetAwaiter().GetResult();
        return [.. partitions.Select(partition => At(partition, startAt(partition), bounds[partition]))];
    }

    /// <summary>For a partition that no longer holds the offset that is read next.</summary>
    /// <param name="position">Below 0: nothing was read yet.</param>
    public TopicPartitionOffset Again(int partition, long position, CancellationToken cancellationToken)
    {
        if (position < 0) return Of([partition], cancellationToken)[0];
        var bounds = kafka.Offsets.BoundsAsync(topic, [partition], cancellationToken).GetAwaiter().GetResult();
        return At(partition, position, bounds[partition]);
    }

    private TopicPartitionOffset At(int partition, long start, (long Begin, long End) bounds)
    {
        if (start < 0 || start > bounds.End)
            throw new InvalidDataException($"{topic}/{partition}: {group} asks for offset {start}, but the log ends at {bounds.End}; the log and the stores do not belong together");
        if (start < bounds.Begin)
        {
            kafka.Metrics.Skipped(topic, partition, bounds.Begin - start);
            // From 0 reads who reads all that there is.
            kafka.Logger.Log(start == 0 ? LogLevel.Information : LogLevel.Warning,
                "{Topic}/{Partition}: {Group} goes on at offset {Begin}, the oldest that is there; retention removed the {Count} before it from {Start} on", topic, partition, group, bounds.Begin, bounds.Begin - start, start);
        }
        return new TopicPartitionOffset(topic, partition, Math.Max(start, bounds.Begin));
    }
}
