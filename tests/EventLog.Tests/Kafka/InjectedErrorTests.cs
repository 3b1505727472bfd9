using System.Text;
using BeeFormer.Streaming.EventLog.Kafka;
using Confluent.Kafka;
using ApiKey = BeeFormer.Streaming.EventLog.Tests.Kafka.MockCluster.ApiKey;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

public sealed class InjectedErrorTests : IAsyncLifetime
{
    private readonly MockCluster _cluster = new(2);
    private readonly KafkaLogs _logs;
    private readonly KafkaEventLog _log;

    public InjectedErrorTests()
    {
        _logs = new KafkaLogs(_cluster.Address);
        _cluster.CreateTopic(_logs.Name("interactions"), 2);
        _log = _logs.Open(2);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static LogRecord[] Records(int first, int count) => [.. Enumerable.Range(first, count).Select(n => new LogRecord(Encoding.UTF8.GetBytes($"{n}"), Encoding.UTF8.GetBytes($"{n}")))];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _logs.DisposeAsync();
        _cluster.Dispose();
    }

    [Fact]
    public async Task Appends_that_a_broker_refuses_for_a_moment_arrive_once_and_in_order()
    {
        await _log.AppendAsync("interactions", Records(0, 10), Token);
        _cluster.Fail(ApiKey.Produce, ErrorCode.NotLeaderForPartition, ErrorCode.RequestTimedOut, ErrorCode.NotEnoughReplicas, ErrorCode.Local_Transport);
        var positions = await _log.AppendAsync("interactions", Records(10, 90), Token);
        Assert.Equal(90, positions.Distinct().Count());
        await ReadAllAsync(100);
    }

    [Fact]
    public async Task An_append_that_a_broker_refuses_for_good_fails_with_its_reason_and_the_next_goes_on()
    {
        await _log.AppendAsync("interactions", Records(0, 1), Token);
        _cluster.Fail(ApiKey.Produce, ErrorCode.TopicAuthorizationFailed);
        var refused = await Assert.ThrowsAsync<IOException>(() => _log.AppendAsync("interactions", Records(1, 1), Token).AsTask());
        Assert.Contains("1 of 1 records were not acknowledged", refused.Message);
        Assert.Contains("(TopicAuthorizationFailed)", refused.Message);
        await _log.AppendAsync("interactions", Records(1, 1), Token);
        await ReadAllAsync(2);
    }

    [Fact]
    public async Task Reading_goes_on_over_errors_of_fetches_and_of_questions_about_offsets()
    {
        await _log.AppendAsync("interactions", Records(0, 100), Token);
        _cluster.Fail(ApiKey.ListOffsets, ErrorCode.NotLeaderForPartition, ErrorCode.LeaderNotAvailable);
        _cluster.Fail(ApiKey.Fetch, ErrorCode.NotLeaderForPartition, ErrorCode.KafkaStorageError, ErrorCode.Local_Transport, ErrorCode.UnknownLeaderEpoch);
        await ReadAllAsync(100);
    }

    [Fact]
    public async Task Positions_are_committed_and_found_over_a_coordinator_that_moves()
    {
        await _log.AppendAsync("interactions", Records(0, 1), Token);
        await using var subscription = _log.Subscribe("interactions", "g", _ => 0);
        _cluster.Fail(ApiKey.FindCoordinator, ErrorCode.GroupCoordinatorNotAvailable);
        _cluster.Fail(ApiKey.OffsetCommit, ErrorCode.NotCoordinatorForGroup, ErrorCode.GroupLoadInProgress);
        await subscription.CommitAsync(0, 7, Token);
        _cluster.Fail(ApiKey.OffsetFetch, ErrorCode.NotCoordinatorForGroup, ErrorCode.GroupLoadInProgress);
        Assert.Equal(7, await _log.CommittedAsync("interactions", "g", 0, Token));
    }

    private async Task ReadAllAsync(int count)
    {
        await using var subscription = _log.Subscribe("interactions", "test", _ => 0);
        var next = new long[2];
        var seen = new List<int>();
        while (seen.Count < count)
        {
            var batch = await subscription.ReadAsync(1000, Token);
            Assert.Equal(Enumerable.Range(0, batch.Count).Select(n => next[batch.Partition] + n), batch.Select(message => message.Offset));
            int[] values = [.. batch.Select(message => int.Parse(Encoding.UTF8.GetString(message.Value!.Value.Span), System.Globalization.CultureInfo.InvariantCulture))];
            Assert.Equal(values.Order(), values);
            seen.AddRange(values);
            next[batch.Partition] = batch.NextOffset;
        }
        Assert.Equal(Enumerable.Range(0, count), seen.Order());
    }
}
