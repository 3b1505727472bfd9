using BeeFormer.Streaming.EventLog.Kafka;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

[Collection(KafkaCollection.Name)]
public sealed class KafkaTopicsTests(KafkaBroker broker) : IAsyncLifetime
{
    private readonly KafkaLogs _logs = new(broker.Address);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _logs.DisposeAsync();

    [Fact]
    public async Task Topics_are_created_with_what_a_log_of_events_needs()
    {
        var log = _logs.Open(new KafkaOptions { BootstrapServers = broker.Address, TopicPrefix = _logs.Name(""), Topics = { ["interactions"] = new() { Partitions = 3, Retention = TimeSpan.FromDays(30) } } });
        Assert.Equal(3, await log.PartitionsAsync("interactions", Token));
        Assert.Equal(8, await log.PartitionsAsync("items", Token));
        Assert.Equal(8, await log.PartitionsAsync("dead-letters", Token));
        Assert.Equal(["delete", "2592000000", "LogAppendTime", "1049088"], await SettingsAsync("interactions"));
        Assert.Equal(["compact", "-1", "LogAppendTime", "1049088"], await SettingsAsync("items"));
        Assert.Equal(["delete", "604800000", "LogAppendTime", "1581568"], await SettingsAsync("dead-letters"));
    }

    [Fact]
    public async Task A_topic_that_two_create_at_once_is_created_once()
    {
        var logs = Enumerable.Range(0, 4).Select(_ => _logs.Open(3)).ToArray();
        Assert.All(await Task.WhenAll(logs.Select(log => log.PartitionsAsync("items", Token).AsTask())), count => Assert.Equal(3, count));
    }

    [Fact]
    public async Task An_existing_topic_with_fewer_partitions_is_refused_and_left_alone()
    {
        await CreateAsync("items", 2, new() { ["cleanup.policy"] = "compact" });
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => _logs.Open(3).AppendAsync("items", [new LogRecord([1], [1])], Token).AsTask());
        Assert.Contains($"topic {_logs.Name("items")} has 2 partitions, Kafka:Topics:items:Partitions says 3; set 2 there", refused.Message);
        Assert.Equal(2, await _logs.Open(2).PartitionsAsync("items", Token));
        Assert.Equal(2, await _logs.Open(1).PartitionsAsync("items", Token)); // more than asked for is welcome
    }

    [Fact]
    public async Task Interactions_in_a_compacted_topic_are_refused()
    {
        await CreateAsync("interactions", 1, new() { ["cleanup.policy"] = "compact" });
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => _logs.Open().PartitionsAsync("interactions", Token).AsTask());
        Assert.Contains("has cleanup.policy=compact, which keeps only the newest message of each key; expected delete", refused.Message);
    }

    [Fact]
    public async Task Differences_that_lose_nothing_at_once_are_warned_of()
    {
        await CreateAsync("items", 1, new() { ["cleanup.policy"] = "delete", ["message.timestamp.type"] = "CreateTime", ["max.message.bytes"] = "5000" });
        await _logs.Open().PartitionsAsync("items", Token);
        string warnings = string.Join('\n', _logs.Logger.Of(LogLevel.Warning));
        Assert.Contains("has cleanup.policy=delete, expected compact", warnings);
        Assert.Contains("has message.timestamp.type=CreateTime, expected LogAppendTime", warnings);
        Assert.Contains("has max.message.bytes=5000, Kafka:MaxRecordBytes asks for 66048", warnings);
    }

    [Fact]
    public async Task More_copies_than_brokers_are_refused_in_a_sentence()
    {
        var options = _logs.Options() with { Topics = new() { ["items"] = new() { Partitions = 1, ReplicationFactor = 3 } } };
        var refused = await Assert.ThrowsAsync<IOException>(() => _logs.Open(options).PartitionsAsync("items", Token).AsTask());
        Assert.Contains($"topic {_logs.Name("items")} does not exist and could not be created with 1 partitions in 3 copies", refused.Message);
    }

    private async Task CreateAsync(string topic, int partitions, Dictionary<string, string> settings)
    {
        using var admin = _logs.Admin();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = _logs.Name(topic), NumPartitions = partitions, ReplicationFactor = 1, Configs = settings }]);
    }

    private async Task<string[]> SettingsAsync(string topic)
    {
        using var admin = _logs.Admin();
        var entries = (await admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = _logs.Name(topic) }]))[0].Entries;
        return [.. new[] { "cleanup.policy", "retention.ms", "message.timestamp.type", "max.message.bytes" }.Select(name => entries[name].Value)];
    }
}
