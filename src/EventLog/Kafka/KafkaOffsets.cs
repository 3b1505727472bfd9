using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Where partitions begin and end.</summary>
internal sealed class KafkaOffsets(IAdminClient admin, KafkaRequests requests)
{
    /// <summary>The oldest offset that each partition holds, and the one behind the last message that readers may see.</summary>
    public async Task<IReadOnlyDictionary<int, (long Begin, long End)>> BoundsAsync(string topic, IReadOnlyCollection<int> partitions, CancellationToken cancellationToken)
    {
        var begins = await ListAsync(topic, partitions, OffsetSpec.Earliest(), cancellationToken).ConfigureAwait(false);
        var ends = await ListAsync(topic, partitions, OffsetSpec.Latest(), cancellationToken).ConfigureAwait(false);
        return begins.ToDictionary(begin => begin.Key, begin => (begin.Value, ends[begin.Key]));
    }

    public async Task<long> BeginAsync(string topic, int partition, CancellationToken cancellationToken) =>
        (await ListAsync(topic, [partition], OffsetSpec.Earliest(), cancellationToken).ConfigureAwait(false))[partition];

    public async Task<long> EndAsync(string topic, int partition, CancellationToken cancellationToken) =>
        (await ListAsync(topic, [partition], OffsetSpec.Latest(), cancellationToken).ConfigureAwait(false))[partition];

    private Task<Dictionary<int, long>> ListAsync(string topic, IReadOnlyCollection<int> partitions, OffsetSpec which, CancellationToken cancellationToken) =>
        requests.AskAsync($"the offsets of topic {topic}", async () =>
        {
            var question = partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition(topic, partition), OffsetSpec = which });
            try
            {
                // As the readers see it: messages of a transaction that is still open are not there yet.
                var answer = await admin.ListOffsetsAsync(question, new ListOffsetsOptions { RequestTimeout = requests.Timeout, IsolationLevel = IsolationLevel.ReadCommitted }).ConfigureAwait(false);
                return answer.ResultInfos.ToDictionary(info => info.TopicPartitionOffsetError.Partition.Value, info => Found(info.TopicPartitionOffsetError));
            }
            catch (ListOffsetsException failure)
            {
                throw new KafkaException(failure.Result.ResultInfos.Select(info => info.TopicPartitionOffsetError.Error).First(error => error.IsError));
            }
            catch (KafkaException unknown) when (unknown.Error.Code == ErrorCode.Local_NoEnt)
            {
                // Partitions were added since the client last asked for the topic; it would go on not knowing them for a while.
                admin.GetMetadata(topic, requests.Timeout);
                throw;
            }
        }, cancellationToken);

    // A broker that a leader just left may answer without an error and without an offset.
    private static long Found(TopicPartitionOffsetError answer) =>
        answer.Error.IsError ? throw new KafkaException(answer.Error) :
        answer.Offset.Value < 0 ? throw new KafkaException(new Error(ErrorCode.OffsetNotAvailable)) : answer.Offset.Value;
}
