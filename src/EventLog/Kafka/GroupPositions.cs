using System.Collections.Concurrent;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>
/// What groups committed. Asked by a consumer of the group that never joins it: the admin client's question for the same
/// ends the whole process where the coordinator answers with an error, as it does after each restart.
/// </summary>
internal sealed class GroupPositions(KafkaOptions options, KafkaRequests requests, ILogger logger) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<IConsumer<Ignore, Ignore>>> _consumers = new();

    /// <summary>0 where the group never committed.</summary>
    public Task<long> CommittedAsync(string topic, string group, int partition, CancellationToken cancellationToken)
    {
        var consumer = _consumers.GetOrAdd(group, name => new(() => OutsideConsumer.Build(options, name, logger))).Value;
        return requests.AskAsync($"what group {group} committed to {topic}/{partition}", () => Task.Run(() =>
        {
            try
            {
                return Math.Max(0, consumer.Committed([new TopicPartition(topic, partition)], requests.Timeout)[0].Offset.Value); // below 0: never
            }
            catch (TopicPartitionOffsetException failure)
            {
                throw new KafkaException(failure.Results[0].Error);
            }
        }, cancellationToken), cancellationToken);
    }

    public void Dispose()
    {
        foreach (var consumer in _consumers.Values)
            if (consumer.IsValueCreated) consumer.Value.Dispose();
    }
}
