namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

/// <summary>Tests that leave the broker as it is share one.</summary>
[CollectionDefinition(Name)]
public sealed class KafkaCollection : ICollectionFixture<KafkaBroker>
{
    public const string Name = "Kafka";
}
