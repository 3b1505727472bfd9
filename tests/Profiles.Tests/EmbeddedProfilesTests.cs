using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles.Embedded;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Profiles.Tests;

public sealed class EmbeddedProfilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-profiles-").FullName;
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private EmbeddedProfiles Open(int limit = 200, int snapshotChanges = 1_000_000) =>
        new(_folder, new EmbeddedProfilesOptions { InteractionsPerUser = limit, SnapshotChanges = snapshotChanges }, _time);

    private static ProfileChange Change(long offset, string user, string item, long time, string? eventId = null, double? value = null) =>
        new(offset, new UserId(user), new ProfileInteraction(eventId ?? $"interactions/0/{offset}", new ItemId(item), "view", value, time));

    private static ValueTask Apply(EmbeddedProfiles profiles, params ProfileChange[] changes) => profiles.ApplyAsync(0, changes[^1].Offset + 1, changes, Token);

    private static async Task<IEnumerable<string>> Items(EmbeddedProfiles profiles, string user) => (await profiles.GetAsync(new UserId(user), Token)).Select(i => i.Item.Value);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Newest_by_event_time_comes_first_and_of_equal_times_the_later_arrival()
    {
        var profiles = Open();
        await Apply(profiles, Change(0, "u", "b", 20), Change(1, "u", "a", 10), Change(2, "u", "d", 30), Change(3, "u", "c", 20), Change(4, "v", "x", 5));
        Assert.Equal(["d", "c", "b", "a"], await Items(profiles, "u"));
        Assert.Empty(await Items(profiles, "nobody"));
    }

    [Fact]
    public async Task Only_the_newest_n_are_kept()
    {
        var profiles = Open(limit: 3);
        await Apply(profiles, Change(0, "u", "a", 10), Change(1, "u", "b", 20), Change(2, "u", "c", 30), Change(3, "u", "too old", 5), Change(4, "u", "d", 25));
        Assert.Equal(["c", "d", "b"], await Items(profiles, "u"));
    }

    [Fact]
    public async Task A_position_and_an_event_id_count_once()
    {
        var profiles = Open();
        await Apply(profiles, Change(0, "u", "a", 10), Change(1, "u", "b", 20, "e1"));
        await Apply(profiles, Change(0, "u", "a", 10, "renamed"), Change(1, "u", "b", 20, "e1"), Change(2, "u", "c", 30, "e1"), Change(3, "u", "d", 40));
        Assert.Equal(["d", "b", "a"], await Items(profiles, "u"));
    }

    [Fact]
    public async Task A_forgotten_user_is_gone_and_may_come_back()
    {
        var profiles = Open();
        await Apply(profiles, Change(0, "u", "a", 10), new ProfileChange(1, new UserId("u"), null), Change(2, "u", "b", 5));
        Assert.Equal(["b"], await Items(profiles, "u"));
    }

    [Fact]
    public async Task Only_what_was_flushed_is_durable_and_reading_again_from_there_gives_the_same()
    {
        var profiles = Open();
        await Apply(profiles, Change(0, "u", "a", 10, value: 4.5), Change(1, "v", "b", 20));
        await profiles.FlushAsync(Token);
        ProfileChange[] later = [Change(2, "u", "c", 30), new ProfileChange(3, new UserId("v"), null)];
        await Apply(profiles, later);
        Assert.Equal(2, profiles.NextOffset(0));

        var restarted = Open(); // as after a crash: nothing was flushed since
        Assert.Equal(2, restarted.NextOffset(0));
        Assert.Equal(["b"], await Items(restarted, "v"));
        await Apply(restarted, later);
        Assert.Equal(await profiles.GetAsync(new UserId("u"), Token), await restarted.GetAsync(new UserId("u"), Token));
        Assert.Empty(await Items(restarted, "v"));
    }

    [Fact]
    public async Task Snapshots_follow_the_number_of_changes_and_the_clock()
    {
        var profiles = Open(snapshotChanges: 3);
        await Apply(profiles, Change(0, "u", "a", 10), Change(1, "u", "b", 10));
        Assert.Equal(0, profiles.NextOffset(0));
        await Apply(profiles, Change(2, "u", "c", 10));
        Assert.Equal(3, profiles.NextOffset(0));
        await Apply(profiles, Change(3, "u", "d", 10));
        Assert.Equal(3, profiles.NextOffset(0));
        _time.Advance(TimeSpan.FromMinutes(6));
        await Apply(profiles, Change(4, "u", "e", 10));
        Assert.Equal(5, Open().NextOffset(0));
    }

    [Fact]
    public async Task Every_damaged_byte_of_a_snapshot_is_noticed()
    {
        var profiles = Open();
        await Apply(profiles, Change(0, "user", "item", 10, value: 1), Change(1, "other", "item", 20));
        await profiles.FlushAsync(Token);
        string path = Path.Combine(_folder, "profiles.snapshot");
        var whole = await File.ReadAllBytesAsync(path, Token);
        for (int at = 0; at < whole.Length; at++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= 0x10;
            await File.WriteAllBytesAsync(path, damaged, Token);
            Assert.Contains(path, Assert.Throws<InvalidDataException>(() => Open()).Message);
            await File.WriteAllBytesAsync(path, whole[..at], Token);
            Assert.Throws<InvalidDataException>(() => Open());
        }
        await File.WriteAllBytesAsync(path, whole, Token);
        Assert.Equal(2, Open().NextOffset(0));
    }

    [Fact]
    public async Task Random_changes_with_crashes_equal_a_model()
    {
        var random = new Random(3);
        var log = Enumerable.Range(0, 2000).Select(n => random.Next(40) == 0
            ? new ProfileChange(n, new UserId($"u{random.Next(9)}"), null)
            : Change(n, $"u{random.Next(9)}", $"i{random.Next(50)}", random.Next(100), random.Next(4) == 0 ? $"e{random.Next(60)}" : null)).ToArray();
        var profiles = Open(limit: 2000);
        for (int at = 0; at < log.Length;)
        {
            int end = Math.Min(log.Length, at + random.Next(1, 80));
            await profiles.ApplyAsync(0, end, log[at..end], Token);
            at = end;
            if (random.Next(4) == 0) await profiles.FlushAsync(Token);
            if (random.Next(5) != 0) continue;
            profiles = Open(limit: 2000);
            at = (int)profiles.NextOffset(0);
        }
        for (int u = 0; u < 9; u++)
        {
            var user = new UserId($"u{u}");
            var alive = log.Where(c => c.User == user).Reverse().TakeWhile(c => c.Interaction is not null).Reverse();
            var expected = alive.DistinctBy(c => c.Interaction!.Value.EventId).OrderByDescending(c => c.Interaction!.Value.TimestampMs).ThenByDescending(c => c.Offset).Select(c => c.Interaction!.Value);
            Assert.Equal(expected, await profiles.GetAsync(user, Token));
        }
    }
}
