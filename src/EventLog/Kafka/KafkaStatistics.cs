using System.Text.Json;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>What one client tells of itself at intervals; the parts of librdkafka's statistics that somebody looks at.</summary>
/// <param name="Client">Unique in the process.</param>
/// <param name="Queued">Messages that the producer still has to deliver.</param>
/// <param name="Sent">Messages sent since the client began.</param>
/// <param name="Received">Messages received since the client began.</param>
/// <param name="Lags">Messages of each partition that have not come to this process yet; partitions that are not its own are missing.</param>
internal sealed record KafkaStatistics(string Client, long Queued, long Sent, long Received, IReadOnlyList<KafkaStatistics.Broker> Brokers, IReadOnlyList<KafkaStatistics.Lag> Lags)
{
    /// <param name="RoundTripMs">Mean of the last interval; 0 where nothing was sent.</param>
    internal readonly record struct Broker(string Name, bool Connected, double RoundTripMs);

    internal readonly record struct Lag(string Topic, int Partition, long Messages);

    public static KafkaStatistics Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var brokers = new List<Broker>();
        foreach (var broker in root.GetProperty("brokers").EnumerateObject())
        {
            if (broker.Value.GetProperty("nodeid").GetInt32() < 0) continue; // an address that a broker was asked under, or a coordinator's second connection
            brokers.Add(new Broker(broker.Name, broker.Value.GetProperty("state").GetString() == "UP", broker.Value.GetProperty("rtt").GetProperty("avg").GetInt64() / 1000.0));
        }
        var lags = new List<Lag>();
        foreach (var topic in root.GetProperty("topics").EnumerateObject())
        foreach (var partition in topic.Value.GetProperty("partitions").EnumerateObject())
        {
            long lag = partition.Value.GetProperty("consumer_lag").GetInt64();
            int id = partition.Value.GetProperty("partition").GetInt32();
            if (id >= 0 && lag >= 0) lags.Add(new Lag(topic.Name, id, lag));
        }
        return new KafkaStatistics(root.GetProperty("name").GetString()!, root.GetProperty("msg_cnt").GetInt64(), root.GetProperty("txmsgs").GetInt64(), root.GetProperty("rxmsgs").GetInt64(), brokers, lags);
    }
}
