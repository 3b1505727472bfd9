using BeeFormer.Streaming.EventLog.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

public sealed class KafkaRequestsTests
{
    private readonly FakeTimeProvider _time = new();
    private int _attempts;

    private async Task<int> AskAsync(Func<Task<int>> ask)
    {
        var requests = new KafkaRequests(new KafkaOptions { BootstrapServers = "kafka:9092", RequestTimeout = TimeSpan.FromMinutes(1) }, _time, NullLogger.Instance);
        var asked = requests.AskAsync("what time it is", () =>
        {
            Interlocked.Increment(ref _attempts);
            return ask();
        }, TestContext.Current.CancellationToken);
        while (!asked.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
        return await asked;
    }

    private static Task<int> Fail(ErrorCode code) => Task.FromException<int>(new KafkaException(new Error(code, "so it is")));

    [Theory]
    [InlineData(ErrorCode.NotCoordinatorForGroup)]
    [InlineData(ErrorCode.Local_Transport)]
    [InlineData(ErrorCode.LeaderNotAvailable)]
    public async Task What_may_pass_is_asked_again_until_it_is_answered(ErrorCode code)
    {
        Assert.Equal(7, await AskAsync(() => _attempts < 4 ? Fail(code) : Task.FromResult(7)));
        Assert.Equal(4, _attempts);
    }

    [Fact]
    public async Task Attempts_end()
    {
        var failed = await Assert.ThrowsAsync<IOException>(() => AskAsync(() => Fail(ErrorCode.NotCoordinatorForGroup)));
        Assert.Equal("Kafka at kafka:9092: what time it is: so it is (NotCoordinatorForGroup)", failed.Message);
        Assert.Equal(KafkaRequests.MaxAttempts, _attempts);
    }

    [Fact]
    public async Task What_another_attempt_does_not_mend_is_asked_once()
    {
        await Assert.ThrowsAsync<IOException>(() => AskAsync(() => Fail(ErrorCode.TopicAuthorizationFailed)));
        Assert.Equal(1, _attempts);
    }

    [Fact]
    public async Task An_answer_that_does_not_come_ends_with_the_time()
    {
        var failed = await Assert.ThrowsAsync<IOException>(() => AskAsync(() => new TaskCompletionSource<int>().Task));
        Assert.Equal("Kafka at kafka:9092: what time it is: no answer within 60 s", failed.Message);
        Assert.Equal(1, _attempts);
    }

    [Fact]
    public async Task Closing_waits_for_what_was_asked_even_if_nobody_waits_for_the_answer()
    {
        var requests = new KafkaRequests(new KafkaOptions { BootstrapServers = "kafka:9092", RequestTimeout = TimeSpan.FromMinutes(1) }, _time, NullLogger.Instance);
        var answer = new TaskCompletionSource<int>();
        using var stop = new CancellationTokenSource();
        var asked = requests.AskAsync("what time it is", () => answer.Task, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);

        var closed = requests.CloseAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => requests.AskAsync("more", () => Task.FromResult(1), TestContext.Current.CancellationToken));
        Assert.False(closed.IsCompleted);
        answer.SetResult(12);
        Assert.True(await closed);
    }

    [Fact]
    public async Task Closing_gives_up_on_what_never_ends_and_says_so()
    {
        var requests = new KafkaRequests(new KafkaOptions { BootstrapServers = "kafka:9092", RequestTimeout = TimeSpan.FromMinutes(1) }, _time, NullLogger.Instance);
        using var stop = new CancellationTokenSource();
        _ = requests.AskAsync("what time it is", () => new TaskCompletionSource<int>().Task, stop.Token);
        var closed = requests.CloseAsync();
        _time.Advance(TimeSpan.FromSeconds(64));
        Assert.False(closed.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await closed);
    }
}
