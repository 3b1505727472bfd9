using Confluent.Kafka;

/// <summary>What anyone would write who only wants the bytes.</summary>
internal static class PlainConsumer
{
    public static void Read(string address, string topic, int partitions, int events)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = address, GroupId = "plain", EnableAutoCommit = false }).Build();
        consumer.Assign(Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        for (int read = 0; read < events;)
            if (consumer.Consume(TimeSpan.FromSeconds(30)) is not null) read++;
    }
}
