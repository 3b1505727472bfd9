using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles.Embedded;

namespace BeeFormer.Streaming.Profiles.Tests.Embedded;

public sealed class EmbeddedProfilesTests : IAsyncDisposable
{
    private readonly ProfileFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    private static async Task<IEnumerable<string>> ItemsAsync(EmbeddedProfiles profiles, string user) => (await profiles.GetAsync(new UserId(user), Token)).Select(interaction => interaction.Item.Value);

    private static async Task UntilAsync(Func<bool> holds, CancellationToken cancellationToken)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!holds()) await pause.WaitForNextTickAsync(cancellationToken);
    }

    [Fact]
    public async Task Only_what_was_written_is_durable_and_reading_again_from_there_gives_the_same()
    {
        var profiles = _folder.Open();
        await profiles.ApplyAsync(0, 2, [AChange.By(0, "u", "a", 10, value: 4.5), AChange.By(1, "v", "b", 20)], Token);
        await profiles.FlushAsync(Token);
        ProfileChange[] later = [AChange.By(2, "u", "c", 30), AChange.Forget(3, "v")];
        await profiles.ApplyAsync(0, 4, later, Token);
        Assert.Equal(2, profiles.NextOffset(0));

        _folder.Kill();
        var restarted = _folder.Open();
        Assert.Equal(2, restarted.NextOffset(0));
        Assert.Equal(["b"], await ItemsAsync(restarted, "v"));
        await restarted.ApplyAsync(0, 4, later, Token);
        Assert.Equal(await profiles.GetAsync(new UserId("u"), Token), await restarted.GetAsync(new UserId("u"), Token));
        Assert.Empty(await ItemsAsync(restarted, "v"));
    }

    [Fact(Timeout = 60_000)]
    public async Task Changes_are_written_by_the_clock()
    {
        var profiles = _folder.Open(new ProfilesOptions { WriteInterval = TimeSpan.FromSeconds(2) });
        await profiles.ApplyAsync(0, 1, [AChange.By(0, "u", "a", 10)], Token);
        _folder.Time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(0, profiles.NextOffset(0));
        _folder.Time.Advance(TimeSpan.FromSeconds(0.2));
        await UntilAsync(() => profiles.NextOffset(0) == 1, TestContext.Current.CancellationToken);
        await profiles.ApplyAsync(0, 2, [AChange.By(1, "u", "b", 20)], Token);
        _folder.Time.Advance(TimeSpan.FromSeconds(2));
        await UntilAsync(() => profiles.NextOffset(0) == 2, TestContext.Current.CancellationToken);
        _folder.Kill();
        Assert.Equal(["b", "a"], await ItemsAsync(_folder.Open(), "u"));
    }

    [Fact]
    public async Task Memory_is_bounded_and_what_does_not_fit_comes_from_disk()
    {
        const int users = 5_000, rounds = 4;
        const long memory = 1 << 20;
        var profiles = _folder.Open(new ProfilesOptions { MemoryBytes = memory });
        long offset = 0, most = 0;
        for (int round = 0; round < rounds; round++)
        for (int from = 0; from < users; from += 100)
        {
            await profiles.ApplyAsync(0, offset + 100, [.. Enumerable.Range(from, 100).Select(u => AChange.By(offset + u - from, $"u{u}", $"{round}/{u}/{new string('x', 100)}", round))], Token);
            offset += 100;
            most = Math.Max(most, profiles.HeldBytes);
        }
        Assert.InRange(most, memory / 2, memory + 200_000); // a batch more than the bound until its changes are written
        Assert.True(profiles.NextOffset(0) > offset / 2); // without the clock
        for (int u = 0; u < users; u += 7) Assert.Equal(Enumerable.Range(0, rounds).Reverse().Select(round => $"{round}/{u}/{new string('x', 100)}"), await ItemsAsync(profiles, $"u{u}"));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_forgotten_user_leaves_no_byte_on_disk(bool byTheClock)
    {
        // Rows that grow move from page to page: their traces lie all over the file.
        const int users = 2_000;
        var random = new Random(1);
        var profiles = _folder.Open();
        long offset = 0;
        for (int round = 0; round < 20; round++)
        {
            var changes = Enumerable.Range(0, 1_000).Select(_ => random.Next(users)).Select(u => AChange.By(offset, $"user<{u}>", $"item of <{u}>", offset, $"event of <{u}> {offset++}")).ToArray();
            await profiles.ApplyAsync(0, offset, changes, Token);
            await profiles.FlushAsync(Token);
        }
        bool Forgotten(int u) => u % 3 == 0;
        var forget = Enumerable.Range(0, users).Where(Forgotten).Select(u => AChange.Forget(offset++, $"user<{u}>")).ToArray();
        var back = AChange.By(offset++, "user<3>", "something new", offset);
        await profiles.ApplyAsync(0, offset, [.. forget, back], Token);
        if (byTheClock) _folder.Time.Advance(TimeSpan.FromSeconds(5));
        else await profiles.FlushAsync(Token);

        HashSet<int> Traces()
        {
            string disk = Disk();
            return [.. Enumerable.Range(0, users).Where(u => disk.Contains($"<{u}>", StringComparison.Ordinal))];
        }
        if (byTheClock) await UntilAsync(() => !Traces().Contains(0), TestContext.Current.CancellationToken);
        var traces = Traces();
        Assert.Equal([3], traces.Where(Forgotten));
        Assert.DoesNotContain(" of <3>", Disk());
        Assert.True(traces.Count > users / 2); // the others are there to be found
        Assert.Equal(["something new"], await ItemsAsync(profiles, "user<3>"));
        Assert.NotEmpty(await ItemsAsync(profiles, "user<4>"));
    }

    [Fact]
    public async Task A_second_writer_on_the_folder_is_refused_before_it_changes_anything()
    {
        var first = _folder.Open();
        await first.ApplyAsync(0, 1, [AChange.By(0, "u", "a", 1)], Token);
        var second = _folder.Open();
        await second.ApplyAsync(0, 2, [AChange.By(0, "u", "a", 1), AChange.By(1, "u", "b", 2)], Token);
        await second.FlushAsync(Token);
        var refused = await Assert.ThrowsAsync<IOException>(async () => await first.FlushAsync(Token));
        Assert.Contains("profiles.db: another process has written profiles", refused.Message);
        Assert.Equal(0, first.NextOffset(0));
        var third = _folder.Open();
        Assert.Equal(2, third.NextOffset(0));
        Assert.Equal(["b", "a"], await ItemsAsync(third, "u"));
    }

    [Fact]
    public async Task A_snapshot_of_an_older_version_gives_way_to_the_log()
    {
        Directory.CreateDirectory(_folder.Path);
        string snapshot = Path.Combine(_folder.Path, "profiles.snapshot");
        await File.WriteAllTextAsync(snapshot, "BEEPROFS", Token);
        Assert.Equal(0, _folder.Open().NextOffset(0));
        Assert.False(File.Exists(snapshot));
    }

    [Fact]
    public async Task Damage_is_noticed_and_named()
    {
        var profiles = _folder.Open();
        await profiles.ApplyAsync(0, 1, [AChange.By(0, "the user", "the item", 10, "the event", value: 3)], Token);
        await profiles.FlushAsync(Token);
        string path = Path.Combine(_folder.Path, "profiles.db");
        var whole = ReadShared(path);
        int row = whole.AsSpan().IndexOf("the event"u8);
        for (int at = row - 22; at < row + "the eventthe itemview".Length; at++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= 0x10;
            await using var next = new ProfileFolder();
            Directory.CreateDirectory(next.Path);
            await File.WriteAllBytesAsync(Path.Combine(next.Path, "profiles.db"), damaged, Token);
            var opened = next.Open();
            var noticed = await Assert.ThrowsAsync<InvalidDataException>(async () => await opened.GetAsync(new UserId("the user"), Token));
            Assert.Contains("the profiles are damaged", noticed.Message);
            await Assert.ThrowsAsync<InvalidDataException>(async () => await opened.ApplyAsync(0, 2, [AChange.By(1, "the user", "x", 1)], Token));
        }
        await using var noDatabase = new ProfileFolder();
        Directory.CreateDirectory(noDatabase.Path);
        await File.WriteAllTextAsync(Path.Combine(noDatabase.Path, "profiles.db"), new string('x', 5_000), Token);
        Assert.Contains("delete the folder", Assert.Throws<InvalidDataException>(() => noDatabase.Open()).Message);
    }

    private string Disk() => string.Concat(Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Select(file => Encoding.Latin1.GetString(ReadShared(file))));

    private static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
