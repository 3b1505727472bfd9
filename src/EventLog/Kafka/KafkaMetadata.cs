using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>
/// What the cluster says of its brokers and a topic. Asked by a consumer that never joins its group: a producer's question creates the topic where brokers are set to do so, and of a partition without replicas in
/// sync, as there are after a broker was put out of the cluster for a moment, the admin client's description ends that client's own work, and its next question the whole process.
/// </summary>
internal sealed class KafkaMetadata : IDisposable
{
    private readonly IConsumer<Ignore, Ignore> _consumer;
    private readonly IAdminClient _client;

    public KafkaMetadata(KafkaOptions options, ILogger logger)
    {
        _consumer = OutsideConsumer.Build(options, options.TopicPrefix + "metadata", logger);
        _client = new DependentAdminClientBuilder(_consumer.Handle).Build();
    }

    /// <param name="topic">As the cluster knows it. It need not exist, and the question does not create it.</param>
    public Task<Metadata> AskAsync(string topic, TimeSpan timeout) => Task.Run(() => _client.GetMetadata(topic, timeout));

    public void Dispose()
    {
        _client.Dispose();
        _consumer.Dispose();
    }
}
