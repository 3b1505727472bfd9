using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles.Redis;
using StackExchange.Redis;

namespace BeeFormer.Streaming.Profiles.Tests.Redis;

public sealed class RedisProfilesTests(RedisServer server) : IClassFixture<RedisServer>
{
    private const int Users = 7;
    private readonly string _prefix = server.NextPrefix();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ProfilesOptions Options(TimeSpan? timeToLive = null, int shards = 1) =>
        new() { Prefix = _prefix, InteractionsPerUser = 5_000, TimeToLive = timeToLive ?? TimeSpan.FromDays(1), Shards = shards };

    /// <summary>Feeds the log as Ingest does: after a failure it asks for the position and goes on from there. Returns the number of failures.</summary>
    private static async Task<int> FeedAsync(RedisProfiles profiles, ProfileChange[] log, int batch, Action<long>? before = null)
    {
        int failures = 0;
        for (long at = -1; at < log.Length;)
        {
            try
            {
                if (at < 0) at = profiles.NextOffset(0);
                long end = Math.Min(log.Length, at + batch);
                before?.Invoke(at);
                await profiles.ApplyAsync(0, end, log[(int)at..(int)end], Token);
                at = end;
            }
            catch (IOException)
            {
                failures++;
                at = -1;
            }
        }
        return failures;
    }

    private static async Task CheckAsync(RedisProfiles profiles, ProfileChange[] log)
    {
        Assert.Equal(log.Length, profiles.NextOffset(0));
        foreach (var user in Enumerable.Range(0, Users).Select(u => new UserId($"u{u}"))) Assert.Equal(AChange.Expected(log, user), await profiles.GetAsync(user, Token));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Answers_that_were_lost_lose_and_double_nothing(int shards)
    {
        var log = AChange.RandomLog(seed: 5, 3000, Users);
        var random = new Random(6);
        await using var proxy = new LossyProxy(server.Port, () => { lock (random) return random.Next(12) == 0; });
        await FeedAsync(server.Open(Options(shards: shards), server.Connect(proxy.Port)), log, batch: 100);
        Assert.True(proxy.Lost > 3);
        await CheckAsync(server.Open(Options(shards: shards)), log);
    }

    [Fact]
    public async Task A_server_killed_while_changes_come_in_loses_and_doubles_nothing()
    {
        var log = AChange.RandomLog(seed: 7, 6000, Users);
        var random = new Random(8);
        var restarts = Task.CompletedTask;
        int kills = 0;
        await FeedAsync(server.Open(Options()), log, batch: 40, at =>
        {
            if (!restarts.IsCompleted || at * 8 < log.Length * kills) return;
            kills++;
            restarts = Task.Run(async () =>
            {
                for (int spin = random.Next(20_000); spin > 0; spin--) await Task.Yield(); // somewhere in the batches that follow
                server.Kill();
                await server.StartAsync();
            }, Token);
        });
        await restarts;
        Assert.True(kills > 4);
        await CheckAsync(server.Open(Options()), log);
    }

    [Fact]
    public async Task A_server_that_lost_its_data_is_noticed_and_the_log_read_again()
    {
        var log = AChange.RandomLog(seed: 9, 1000, Users);
        var profiles = server.Open(Options());
        bool lost = false;
        int failures = await FeedAsync(profiles, log, batch: 50, at =>
        {
            if (at < 500 || lost) return;
            lost = true;
            Keys().ForEach(key => server.Connect().GetDatabase().KeyDelete(key));
        });
        Assert.Equal(1, failures);
        await CheckAsync(profiles, log);
    }

    [Fact]
    public async Task Two_writers_of_one_partition_apply_each_change_once()
    {
        var log = AChange.RandomLog(seed: 10, 3000, Users);
        var writers = Enumerable.Range(0, 2).Select(n => (Profiles: server.Open(Options()), Batch: 30 + 7 * n)).ToArray();
        await Task.WhenAll(writers.Select(writer => Task.Run(() => FeedAsync(writer.Profiles, log, writer.Batch), Token)));
        await CheckAsync(server.Open(Options()), log);
    }

    [Fact]
    public async Task A_script_that_arrives_late_or_again_changes_nothing()
    {
        var database = server.Connect().GetDatabase();
        var keys = new ProfileKeys(_prefix, 1);
        async Task<long> WriteAsync(long from, long next, string stamp, string value) =>
            (long)await database.ScriptEvaluateAsync(ProfileScript.Write, [keys.Positions(0), keys.User(new UserId("u"))], [0, from, next, 0, stamp, value]);

        Assert.Equal(5, await WriteAsync(0, 5, "", "twelve bytes and more"));
        Assert.Equal(5, await WriteAsync(0, 5, "", "twelve bytes and others"));
        Assert.Equal(9, await WriteAsync(5, 9, "twelve bytes", ""));
        Assert.Equal(9, await WriteAsync(0, 5, "", "twelve bytes and more")); // the user's key is as it was then, the position is not
        Assert.Equal(9, await WriteAsync(9, 12, "other stamp.", "twelve bytes and more"));
        Assert.Equal(9, (long)await database.HashGetAsync(keys.Positions(0), 0));
        Assert.False(await database.KeyExistsAsync(keys.User(new UserId("u"))));
    }

    [Fact]
    public async Task A_user_whose_partition_changed_while_both_wrote_keeps_all_changes()
    {
        var writers = Enumerable.Range(0, 2).Select(_ => server.Open(Options())).ToArray();
        await Task.WhenAll(writers.Select((profiles, partition) => Task.Run(async () =>
        {
            for (int n = 0; n < 150;)
            {
                try
                {
                    await profiles.ApplyAsync(partition, n + 1, [AChange.By(n, "u", $"{partition}/{n}", n, $"{partition}/{n}")], Token);
                    n++;
                }
                catch (IOException e) when (e.Message.Contains("expected one writer", StringComparison.Ordinal))
                {
                    // The other one was faster ten times; the same once more, as Ingest does.
                }
            }
        }, Token)));
        Assert.Equal(Enumerable.Range(0, 300).Select(n => $"{n % 2}/{n / 2}").Order(), (await writers[0].GetAsync(new UserId("u"), Token)).Select(one => one.Item.Value).Order());
    }

    [Fact]
    public async Task Profiles_expire_after_their_last_change_and_positions_never()
    {
        var database = server.Connect().GetDatabase();
        var profiles = server.Open(Options(TimeSpan.FromHours(3)));
        await profiles.ApplyAsync(0, 1, [AChange.By(0, "u", "a", 1)], Token);
        var user = Keys().Single(key => key.EndsWith(":user:u", StringComparison.Ordinal));
        Assert.InRange(database.KeyTimeToLive(user)!.Value, TimeSpan.FromHours(2.9), TimeSpan.FromHours(3));
        database.KeyExpire(user, TimeSpan.FromMinutes(1));
        await profiles.ApplyAsync(0, 2, [AChange.By(1, "u", "b", 2)], Token);
        Assert.InRange(database.KeyTimeToLive(user)!.Value, TimeSpan.FromHours(2.9), TimeSpan.FromHours(3));
        Assert.Null(database.KeyTimeToLive(Keys().Single(key => key.EndsWith(":positions", StringComparison.Ordinal))));

        await server.Open(Options(TimeSpan.Zero)).ApplyAsync(0, 3, [AChange.By(2, "u", "c", 3)], Token);
        Assert.Null(database.KeyTimeToLive(user));
    }

    [Fact]
    public async Task A_forgotten_user_has_no_key()
    {
        var profiles = server.Open(Options());
        await profiles.ApplyAsync(0, 2, [AChange.By(0, "gone", "a", 1), AChange.By(1, "kept", "a", 1)], Token);
        await profiles.ApplyAsync(0, 3, [AChange.Forget(2, "gone")], Token);
        Assert.Equal(["kept"], Keys().Where(key => key.Contains(":user:", StringComparison.Ordinal)).Select(key => key.Split(':')[^1]));
    }

    [Fact]
    public async Task Another_number_of_shards_builds_the_profiles_anew()
    {
        var log = AChange.RandomLog(seed: 11, 300, Users);
        await FeedAsync(server.Open(Options(shards: 1)), log, batch: 100);
        var more = server.Open(Options(shards: 4));
        Assert.Equal(0, more.NextOffset(0));
        await FeedAsync(more, log, batch: 100);
        await CheckAsync(more, log);
    }

    [Fact]
    public async Task A_batch_that_is_larger_than_a_script_takes_is_applied_whole()
    {
        var profiles = server.Open(Options());
        await profiles.ApplyAsync(0, 9_999, [.. Enumerable.Range(0, 9_000).Select(n => AChange.By(n, $"u{n % 3}", $"i{n}", n))], Token);
        Assert.Equal(9_999, profiles.NextOffset(0));
        for (int u = 0; u < 3; u++) Assert.Equal(Enumerable.Range(0, 3000).Select(n => $"i{3 * n + u}").Reverse(), (await profiles.GetAsync(new UserId($"u{u}"), Token)).Select(one => one.Item.Value));
    }

    private List<string> Keys() => [.. server.Connect().GetServer($"127.0.0.1:{server.Port}").Keys(pattern: $"{{{_prefix}:*").Select(key => key.ToString()).Order()];
}
