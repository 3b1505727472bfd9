namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

public sealed class KafkaEventLogTests(KafkaBroker broker) : EventLogContract, IClassFixture<KafkaBroker>, IAsyncLifetime
{
    private readonly KafkaLogs _logs = new(broker.Address);

    protected override IEventLog Open(int partitions = 1) => _logs.Open(partitions);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _logs.DisposeAsync();
}
