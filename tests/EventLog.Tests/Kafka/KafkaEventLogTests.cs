using Confluent.Kafka;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

[Collection(KafkaCollection.Name)]
public sealed class KafkaEventLogTests(KafkaBroker broker) : EventLogContract, IAsyncLifetime
{
    private readonly KafkaLogs _logs = new(broker.Address);

    protected override bool KeepsAppendsTogether => false;

    protected override IEventLog Open(int partitions = 1) => _logs.Open(partitions);

    protected override async Task RemoveOldAsync(IEventLog log, long upTo)
    {
        using var admin = _logs.Admin();
        await admin.DeleteRecordsAsync([new TopicPartitionOffset(_logs.Name("interactions"), 0, upTo)]);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _logs.DisposeAsync();
}
