using BeeFormer.Streaming.Profiles.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace BeeFormer.Streaming.Profiles.Tests.Redis;

public sealed class RedisCallsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_call_is_tried_as_often_as_it_may_help(Exception failure, bool mayPass)
    {
        var calls = new RedisCalls("server:1", new NoWaiting());
        int changes = 0, reads = 0, atOnce = 0;
        var errors = new List<IOException>
        {
            await Assert.ThrowsAsync<IOException>(() => calls.ChangeAsync<int>(() => { changes++; throw failure; }, Token)),
            await Assert.ThrowsAsync<IOException>(() => calls.ReadAsync<int>(async () => { reads++; await Task.Yield(); throw failure; }, Token)),
            Assert.Throws<IOException>(() => calls.Read<int>(() => { atOnce++; throw failure; })),
        };
        Assert.Equal(mayPass ? (6, 2, 2) : (1, 1, 1), (changes, reads, atOnce));
        Assert.All(errors, error => Assert.True(error.Message.StartsWith("Redis at server:1 ", StringComparison.Ordinal) && error.Message.EndsWith("see Redis:Configuration", StringComparison.Ordinal), error.Message));
    }

    public static TheoryData<Exception, bool> Failures => new()
    {
        { new RedisConnectionException(ConnectionFailureType.SocketClosed, CommandFlags.None, "gone", null, CommandStatus.Sent), true },
        { new RedisTimeoutException(CommandFlags.None, "slow", CommandStatus.Sent), true },
        { new RedisServerException(RedisErrorKind.Loading, CommandFlags.None, "LOADING Redis is loading the dataset in memory"), true },
        { new RedisServerException(RedisErrorKind.OutOfMemory, CommandFlags.None, "OOM command not allowed when used memory > 'maxmemory'."), false },
    };

    [Fact]
    public async Task What_passes_within_the_attempts_is_no_failure()
    {
        int attempts = 0;
        Assert.Equal(4, await new RedisCalls("server:1", new NoWaiting()).ChangeAsync(async () =>
        {
            await Task.Yield();
            return ++attempts == 4 ? attempts : throw new RedisTimeoutException(CommandFlags.None, "slow", CommandStatus.Unknown);
        }, Token));
    }

    [Fact]
    public async Task A_call_that_is_never_answered_ends()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var call = new RedisCalls("server:1", time).ReadAsync(() => new TaskCompletionSource<int>().Task, Token);
        while (!call.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        Assert.Contains("did not answer in time", (await Assert.ThrowsAsync<IOException>(() => call)).Message);
    }

    [Fact]
    public async Task A_server_that_is_away_fails_with_a_sentence_without_the_password()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Redis:Configuration", "127.0.0.1:1,password=secret,connectTimeout=100,connectRetry=1")]).Build();
        await using var services = new ServiceCollection().AddSingleton<TimeProvider>(new NoWaiting()).AddProfiles(configuration, "").BuildServiceProvider();
        var profiles = services.GetRequiredService<IProfiles>();
        var failures = new[]
        {
            Assert.Throws<IOException>(() => profiles.NextOffset(0)),
            await Assert.ThrowsAsync<IOException>(async () => await profiles.GetAsync(new("u"), Token)),
            await Assert.ThrowsAsync<IOException>(async () => await profiles.ApplyAsync(0, 1, [AChange.By(0, "u", "a", 1)], Token)),
        };
        Assert.All(failures, failure => Assert.Matches("^Redis at 127.0.0.1:1 .*; see Redis:Configuration$", failure.Message));
        Assert.All(failures, failure => Assert.DoesNotContain("secret", failure.ToString()));
    }

    /// <summary>Pauses between attempts are over at once, time limits never.</summary>
    private sealed class NoWaiting : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime >= TimeSpan.Zero && dueTime < TimeSpan.FromSeconds(2.5) ? TimeSpan.Zero : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
