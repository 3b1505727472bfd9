using System.Text;
using BeeFormer.Streaming.EventLog.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using ApiKey = BeeFormer.Streaming.EventLog.Tests.Kafka.MockCluster.ApiKey;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

/// <summary>Errors that a real broker gives at rare moments. The parts by themselves: the mock brokers have no controller, so topics cannot be created there.</summary>
public sealed class InjectedErrorTests : IDisposable
{
    private const string Topic = "interactions";

    private readonly MockCluster _cluster = new(2);
    private readonly KafkaOptions _options;
    private readonly KafkaProducer _producer;

    public InjectedErrorTests()
    {
        _cluster.CreateTopic(Topic, 2);
        var logs = new KafkaLogs(_cluster.Address);
        _options = logs.Options(2);
        // One request a partition: mock brokers do not look at the numbers of batches, by which a real one keeps a second batch from overtaking a refused first.
        _options.Client["linger.ms"] = "500";
        _producer = new KafkaProducer(_options, logs.Health, logs.Metrics, TimeProvider.System, logs.Logger);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static LogRecord[] Records(int first, int count) => [.. Enumerable.Range(first, count).Select(n => new LogRecord(Encoding.UTF8.GetBytes($"{n}"), BitConverter.GetBytes(n)))];

    public void Dispose()
    {
        _producer.Dispose();
        _cluster.Dispose();
    }

    [Fact]
    public async Task Appends_that_a_broker_refuses_for_a_moment_arrive_once_and_in_order()
    {
        await _producer.AppendAsync(Topic, Records(0, 10), Token);
        _cluster.Fail(ApiKey.Produce, ErrorCode.NotLeaderForPartition, ErrorCode.RequestTimedOut, ErrorCode.NotEnoughReplicas, ErrorCode.Local_Transport);
        var positions = await _producer.AppendAsync(Topic, Records(10, 90), Token);
        Assert.Equal(90, positions.Distinct().Count());
        Assert.Equal(Enumerable.Range(0, 100), Read(100));
    }

    [Fact]
    public async Task An_append_that_a_broker_refuses_for_good_fails_with_its_reason_and_the_next_goes_on()
    {
        await _producer.AppendAsync(Topic, Records(0, 1), Token);
        _cluster.Fail(ApiKey.Produce, ErrorCode.InvalidRecord);
        var refused = await Assert.ThrowsAsync<IOException>(() => _producer.AppendAsync(Topic, Records(1, 1), Token));
        Assert.Contains("topic interactions: 1 of 1 records were not acknowledged", refused.Message);
        Assert.Contains("(InvalidRecord)", refused.Message);
        await _producer.AppendAsync(Topic, Records(1, 1), Token);
        Assert.Equal([0, 1], Read(2));
    }

    [Fact]
    public async Task Offsets_and_positions_are_found_over_leaders_and_coordinators_that_move()
    {
        var positions = await _producer.AppendAsync(Topic, Records(0, 100), Token);
        using var admin = new DependentAdminClientBuilder(_producer.Handle).Build();
        var requests = new KafkaRequests(_options, TimeProvider.System, NullLogger.Instance);
        var offsets = new KafkaOffsets(admin, requests);
        _cluster.Fail(ApiKey.ListOffsets, ErrorCode.NotLeaderForPartition, ErrorCode.LeaderNotAvailable);
        var bounds = await offsets.BoundsAsync(Topic, [0, 1], Token);
        foreach (int partition in new[] { 0, 1 }) Assert.Equal((0, positions.Count(of => of.Partition == partition)), bounds[partition]);

        using (var consumer = new ConsumerBuilder<Ignore, byte[]>(KafkaClientSettings.Consumer(_options, "g")).Build()) consumer.Commit([new TopicPartitionOffset(Topic, 1, 7)]);
        _cluster.Fail(ApiKey.FindCoordinator, ErrorCode.GroupCoordinatorNotAvailable);
        _cluster.Fail(ApiKey.OffsetFetch, ErrorCode.NotCoordinatorForGroup, ErrorCode.GroupLoadInProgress);
        using var committed = new GroupPositions(_options, requests, NullLogger.Instance);
        Assert.Equal(7, await committed.CommittedAsync(Topic, "g", 1, Token));
        Assert.Equal(0, await committed.CommittedAsync(Topic, "g", 0, Token));
    }

    /// <summary>Brokers without a controller answer it, as ones do that were just put out of their cluster; the admin client's description of topics waits for one.</summary>
    [Fact]
    public async Task Partitions_are_counted_by_brokers_without_a_controller()
    {
        using var metadata = new KafkaMetadata(_options, NullLogger.Instance);
        using var admin = new DependentAdminClientBuilder(_producer.Handle).Build();
        var topics = new KafkaTopics(metadata, admin, new KafkaRequests(_options, TimeProvider.System, NullLogger.Instance), _options with { TopicPrefix = "" }, NullLogger.Instance);
        Assert.Equal(2, await topics.CountAsync(Topic, Token));
    }

    // Each partition in its order; the values of all, sorted.
    private List<int> Read(int count)
    {
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(KafkaClientSettings.Consumer(_options, "test")).Build();
        consumer.Assign([new TopicPartitionOffset(Topic, 0, 0), new TopicPartitionOffset(Topic, 1, 0)]);
        List<int>[] read = [[], []];
        while (read.Sum(of => of.Count) < count)
        {
            var result = consumer.Consume(Token);
            Assert.Equal(read[result.Partition].Count, result.Offset);
            read[result.Partition].Add(BitConverter.ToInt32(result.Message.Value));
        }
        foreach (var of in read) Assert.Equal(of.Order(), of);
        return [.. read.SelectMany(of => of).Order()];
    }
}
