using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Profiles.Tests;

/// <summary>What both forms promise.</summary>
public abstract class ProfilesContract
{
    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The profiles as a new process finds them; the test's own.</summary>
    private protected abstract IProfiles Open(int limit = 200);

    /// <summary>Opens the profiles as they are after a kill -9 of the process that held them (embedded) or of the server (Redis).</summary>
    private protected abstract Task<IProfiles> OpenAfterKillAsync(IProfiles held, int limit = 200);

    private protected static ValueTask ApplyAsync(IProfiles profiles, params ProfileChange[] changes) => profiles.ApplyAsync(0, changes[^1].Offset + 1, changes, Token);

    private protected static async Task<IEnumerable<string>> ItemsAsync(IProfiles profiles, string user) => (await profiles.GetAsync(new UserId(user), Token)).Select(interaction => interaction.Item.Value);

    [Fact]
    public async Task Newest_by_event_time_comes_first_and_of_equal_times_the_later_arrival()
    {
        var profiles = Open();
        await ApplyAsync(profiles, AChange.By(0, "u", "b", 20), AChange.By(1, "u", "a", 10), AChange.By(2, "u", "d", 30), AChange.By(3, "u", "c", 20), AChange.By(4, "v", "x", 5));
        Assert.Equal(["d", "c", "b", "a"], await ItemsAsync(profiles, "u"));
        Assert.Empty(await ItemsAsync(profiles, "nobody"));
    }

    [Fact]
    public async Task Only_the_newest_n_are_kept()
    {
        var profiles = Open(limit: 3);
        await ApplyAsync(profiles, AChange.By(0, "u", "a", 10), AChange.By(1, "u", "b", 20), AChange.By(2, "u", "c", 30), AChange.By(3, "u", "too old", 5), AChange.By(4, "u", "d", 25));
        Assert.Equal(["c", "d", "b"], await ItemsAsync(profiles, "u"));
    }

    [Fact]
    public async Task A_position_and_an_event_id_count_once()
    {
        var profiles = Open();
        await ApplyAsync(profiles, AChange.By(0, "u", "a", 10), AChange.By(1, "u", "b", 20, "e1"));
        await ApplyAsync(profiles, AChange.By(0, "u", "a", 10, "renamed"), AChange.By(1, "u", "b", 20, "e1"), AChange.By(2, "u", "c", 30, "e1"), AChange.By(3, "u", "d", 40));
        Assert.Equal(["d", "b", "a"], await ItemsAsync(profiles, "u"));
    }

    [Fact]
    public async Task Positions_of_partitions_move_apart_and_without_changes()
    {
        var profiles = Open();
        await profiles.ApplyAsync(0, 7, [AChange.By(3, "u", "a", 10)], Token);
        await profiles.ApplyAsync(2, 5, [], Token);
        await profiles.ApplyAsync(0, 4, [], Token); // below: nothing moves
        await profiles.FlushAsync(Token);
        Assert.Equal((7, 0, 5), (profiles.NextOffset(0), profiles.NextOffset(1), profiles.NextOffset(2)));
        await profiles.ApplyAsync(2, 6, [AChange.By(5, "v", "b", 10)], Token);
        Assert.Equal(["b"], await ItemsAsync(profiles, "v"));
    }

    [Fact]
    public async Task A_forgotten_user_is_gone_and_may_come_back()
    {
        var profiles = Open();
        await ApplyAsync(profiles, AChange.By(0, "u", "a", 10, "e"), AChange.Forget(1, "u"), AChange.By(2, "u", "b", 5, "e"), AChange.By(3, "v", "c", 5), AChange.Forget(4, "nobody"));
        Assert.Equal(["b"], await ItemsAsync(profiles, "u"));
        await profiles.FlushAsync(Token);
        await ApplyAsync(profiles, AChange.Forget(5, "u"), AChange.Forget(6, "v"), AChange.By(7, "u", "d", 1));
        var again = await OpenAfterKillAsync(profiles);
        if (again.NextOffset(0) < 8) await ApplyAsync(again, AChange.Forget(5, "u"), AChange.Forget(6, "v"), AChange.By(7, "u", "d", 1));
        Assert.Equal(["d"], await ItemsAsync(again, "u"));
        Assert.Empty(await ItemsAsync(again, "v"));
    }

    [Fact]
    public async Task A_smaller_limit_holds_for_what_is_stored_already()
    {
        var profiles = Open(limit: 5);
        await ApplyAsync(profiles, AChange.By(0, "u", "a", 10), AChange.By(1, "u", "b", 20), AChange.By(2, "u", "c", 30), AChange.By(3, "u", "d", 40));
        await profiles.FlushAsync(Token);
        var smaller = Open(limit: 2);
        Assert.Equal(["d", "c"], await ItemsAsync(smaller, "u"));
        await ApplyAsync(smaller, AChange.By(4, "u", "too old", 25), AChange.By(5, "u", "between", 35));
        Assert.Equal(["d", "between"], await ItemsAsync(smaller, "u"));
    }

    [Fact]
    public async Task Ids_come_back_as_they_were()
    {
        string[] odd = ["positions", "{x}:user:1", "a}b", "naïve ✓ 日本 😀", "line\nbreak", "nul\0byte", new('x', 512)];
        var profiles = Open();
        await ApplyAsync(profiles, [.. odd.Select((id, n) => new ProfileChange(n, new UserId(id), new ProfileInteraction("event " + id, new ItemId("item " + id), "type " + id, n % 2 == 0 ? -1.5 * n : null, n - 3)))]);
        await profiles.FlushAsync(Token);
        foreach (var stored in new[] { profiles, Open() })
        foreach (var (n, id) in odd.Index())
            Assert.Equal([new ProfileInteraction("event " + id, new ItemId("item " + id), "type " + id, n % 2 == 0 ? -1.5 * n : null, n - 3)], await stored.GetAsync(new UserId(id), Token));
    }

    [Fact]
    public async Task A_reader_never_sees_a_change_without_those_before_it()
    {
        var profiles = Open(limit: 50);
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(r => Task.Run(async () =>
        {
            long newest = -1;
            for (int last = 0; last < 2; last += done.IsCancellationRequested ? 1 : 0)
            {
                var seen = (await profiles.GetAsync(new UserId($"u{r}"), Token)).Select(interaction => interaction.TimestampMs).ToArray();
                if (seen.Length == 0) continue;
                Assert.True(seen[0] >= newest);
                newest = seen[0];
                Assert.Equal(Enumerable.Range(0, seen.Length).Select(n => newest - n), seen);
                Assert.Equal(Math.Min(50, newest + 1), seen.Length);
            }
            return newest;
        }, Token)).ToArray();
        for (int batch = 0; batch < 60; batch++)
        {
            await ApplyAsync(profiles, [.. Enumerable.Range(batch * 30, 30).Select(n => AChange.By(n, $"u{n % 3}", $"i{n}", n / 3))]);
            if (batch % 7 == 0) await profiles.FlushAsync(Token);
        }
        await done.CancelAsync();
        long[] newest = await Task.WhenAll(readers);
        Assert.Equal([599, 599, 599], newest);
    }

    [Fact]
    public async Task Random_changes_with_kills_equal_a_model()
    {
        const int users = 9;
        var log = AChange.RandomLog(seed: 3, 2000, users);
        var random = new Random(4);
        var profiles = Open(limit: 2000);
        int kills = 0;
        for (int at = 0; at < log.Length;)
        {
            int end = Math.Min(log.Length, at + random.Next(1, 80));
            await profiles.ApplyAsync(0, end, log[at..end], Token);
            at = end;
            if (random.Next(4) == 0) await profiles.FlushAsync(Token);
            if (random.Next(8) != 0) continue;
            kills++;
            profiles = await OpenAfterKillAsync(profiles, limit: 2000);
            at = (int)profiles.NextOffset(0);
            Assert.InRange(at, 0, end);
            foreach (var user in Enumerable.Range(0, users).Select(u => new UserId($"u{u}"))) Assert.Equal(AChange.Expected(log[..at], user), await profiles.GetAsync(user, Token));
        }
        Assert.True(kills > 2);
        foreach (var user in Enumerable.Range(0, users).Select(u => new UserId($"u{u}"))) Assert.Equal(AChange.Expected(log, user), await profiles.GetAsync(user, Token));
    }
}
