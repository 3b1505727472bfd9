using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Profiles.Tests.Redis;

/// <summary>A cluster of one server: it refuses a script whose keys are of several slots, as larger ones do.</summary>
public sealed class RedisClusterTests(RedisClusterTests.Cluster server) : IClassFixture<RedisClusterTests.Cluster>
{
    public sealed class Cluster : RedisServer
    {
        protected override string[] Settings => ["--cluster-enabled", "yes"];
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task A_batch_is_applied_slot_by_slot(int shards)
    {
        var token = TestContext.Current.CancellationToken;
        await server.Connect().GetServer($"127.0.0.1:{server.Port}").ExecuteAsync("CLUSTER", "ADDSLOTSRANGE", 0, 16383).ContinueWith(_ => { }, token); // a second time it is refused
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!((string)(await server.Connect().GetServer($"127.0.0.1:{server.Port}").ExecuteAsync("CLUSTER", "INFO"))!).Contains("cluster_state:ok", StringComparison.Ordinal)) await pause.WaitForNextTickAsync(token);

        var log = AChange.RandomLog(seed: 12, 500, users: 40);
        var profiles = server.Open(new ProfilesOptions { Prefix = server.NextPrefix(), InteractionsPerUser = 1000, Shards = shards });
        for (int at = 0; at < log.Length; at += 100) await profiles.ApplyAsync(0, at + 100, log[at..(at + 100)], token);
        Assert.Equal(log.Length, profiles.NextOffset(0));
        foreach (var user in Enumerable.Range(0, 40).Select(u => new UserId($"u{u}"))) Assert.Equal(AChange.Expected(log, user), await profiles.GetAsync(user, token));
    }
}
