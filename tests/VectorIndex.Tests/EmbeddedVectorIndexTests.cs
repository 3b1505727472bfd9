using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex.Embedded;

namespace BeeFormer.Streaming.VectorIndex.Tests;

public sealed class EmbeddedVectorIndexTests : VectorIndexContract, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("vector-index-").FullName;
    private EmbeddedVectorIndex index;
    public EmbeddedVectorIndexTests() => index = new EmbeddedVectorIndex(folder);
    protected override IVectorIndex Index => index;
    private static CancellationToken Token => TestContext.Current.CancellationToken;
    private string LogFile => Path.Combine(folder, "collections", Items.Name, "changes.log");

    public void Dispose()
    {
        index.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void Reopen()
    {
        index.Dispose();
        index = new EmbeddedVectorIndex(folder);
    }

    [Fact]
    public async Task Everything_is_there_after_reopening()
    {
        await index.CreateAsync(Items, Token);
        await index.UpsertAsync(Items.Name, [AnItem("a", 1, [3, 4, 0], false, """{"brand":"x"}"""), AnItem("b", 2)], Token);
        await index.DeleteAsync(Items.Name, [(new("b"), 5)], Token);
        await index.PointAliasAsync("items", Items.Name, Token);
        Reopen();
        var a = Assert.Single(await index.ScrollAsync(Items.Name, ItemFilter.None, null, 10, Token));
        Assert.Equal(("title of a at 1", false, 0.6f, "x"), (a.Title, a.Available, a.Vector[0], a.Attributes["brand"].GetString()));
        await index.UpsertAsync(Items.Name, [AnItem("b", 5)], Token);
        Assert.Equal(1, await index.CountAsync(Items.Name, ItemFilter.None, Token));
        Assert.Equal(new AliasTarget(Items.Name, 1), await index.ResolveAliasAsync("items", Token));
    }

    [Fact]
    public async Task A_log_cut_at_any_byte_of_its_last_batch_gives_the_state_before_that_batch()
    {
        await index.CreateAsync(Items, Token);
        await index.UpsertAsync(Items.Name, [AnItem("a"), AnItem("b")], Token);
        int before = (int)new FileInfo(LogFile).Length;
        await index.UpsertAsync(Items.Name, [AnItem("a", 2, available: false), AnItem("c")], Token);
        index.Dispose();
        byte[] whole = File.ReadAllBytes(LogFile);
        for (int length = before; length < whole.Length; length++)
        {
            File.WriteAllBytes(LogFile, whole[..length]);
            Reopen();
            Assert.Equal(["a 1", "b 1"], (await index.ScrollAsync(Items.Name, ItemFilter.None, null, 10, Token)).Select(i => $"{i.Id} {i.Revision}"));
        }
        await index.UpsertAsync(Items.Name, [AnItem("d")], Token);
        Reopen();
        Assert.Equal(3, await index.CountAsync(Items.Name, ItemFilter.None, Token));
    }

    [Fact]
    public async Task Damage_before_the_end_is_refused_by_name()
    {
        await index.CreateAsync(Items, Token);
        await index.UpsertAsync(Items.Name, [AnItem("a")], Token);
        await index.UpsertAsync(Items.Name, [AnItem("b")], Token);
        index.Dispose();
        byte[] bytes = File.ReadAllBytes(LogFile);
        foreach (int position in new[] { 0, 5, 9, 20 })
        {
            byte[] damaged = [.. bytes];
            damaged[position] ^= 0x40;
            File.WriteAllBytes(LogFile, damaged);
            Assert.Contains(LogFile, Assert.Throws<InvalidDataException>(() => new EmbeddedVectorIndex(folder)).Message, StringComparison.Ordinal);
        }
        File.WriteAllBytes(LogFile, bytes);
        Reopen();
        Assert.Equal(2, await index.CountAsync(Items.Name, ItemFilter.None, Token));
    }

    [Fact]
    public async Task Garbage_in_the_log_is_compacted_away()
    {
        await index.CreateAsync(Items with { Name = "wide", Dimension = 512 }, Token);
        var vector = Enumerable.Range(1, 512).Select(n => (float)n).ToArray();
        for (int revision = 0; revision < 60; revision++)
            await index.UpsertAsync("wide", [.. Enumerable.Range(0, 100).Select(n => AnItem($"i{n}", revision, vector))], Token);
        await index.DeleteAsync("wide", [(new("i7"), 99)], Token);
        await index.SettleAsync("wide", Token);
        Assert.InRange(new DirectoryInfo(Path.Combine(folder, "collections", "wide")).GetFiles().Sum(file => file.Length), 200_000, 5_000_000);
        Reopen();
        Assert.Equal(99, await index.CountAsync("wide", ItemFilter.None, Token));
        Assert.All(await index.ScrollAsync("wide", ItemFilter.None, null, 100, Token), item => Assert.Equal(59, item.Revision));
        await index.UpsertAsync("wide", [AnItem("i7", 99, vector)], Token);
        Assert.Equal(99, await index.CountAsync("wide", ItemFilter.None, Token));
    }

    [Fact]
    public async Task Writers_and_readers_at_once_see_whole_batches()
    {
        await index.CreateAsync(Items, Token);
        var writers = Enumerable.Range(0, 4).Select(w => Task.Run(async () =>
        {
            for (int n = 0; n < 25; n++) await index.UpsertAsync(Items.Name, [AnItem($"{w}-{n}-a"), AnItem($"{w}-{n}-b")], Token);
        }, Token)).ToArray();
        var writing = Task.WhenAll(writers);
        do Assert.Equal(0, await index.CountAsync(Items.Name, ItemFilter.None, Token) % 2);
        while (!writing.IsCompleted);
        await writing;
        Reopen();
        Assert.Equal(200, await index.CountAsync(Items.Name, ItemFilter.None, Token));
    }

    [Fact]
    public async Task Leftovers_of_a_crash_are_removed_on_opening()
    {
        await index.CreateAsync(Items, Token);
        Directory.CreateDirectory(Path.Combine(folder, "collections", ".dropped-1"));
        Directory.CreateDirectory(Path.Combine(folder, "collections", ".new-1"));
        File.WriteAllText(LogFile + ".tmp", "half");
        Reopen();
        Assert.Equal([Path.Combine(folder, "collections", Items.Name)], Directory.GetDirectories(Path.Combine(folder, "collections")));
        Assert.False(File.Exists(LogFile + ".tmp"));
    }

    [Fact]
    public void A_folder_belongs_to_one_open_index() => Assert.Contains(folder, Assert.Throws<InvalidOperationException>(() => new EmbeddedVectorIndex(folder)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_folder_of_another_format_is_refused()
    {
        File.WriteAllText(Path.Combine(folder, "vector-index.format"), "beeformer vector index, format 3");
        Assert.Contains("format 3", Assert.Throws<InvalidDataException>(Reopen).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData(".hidden")]
    public async Task Names_that_leave_the_folder_are_refused(string name) =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await index.CreateAsync(Items with { Name = name }, Token));

    [Fact]
    public async Task Scrolling_is_in_the_order_of_ids()
    {
        await index.CreateAsync(Items, Token);
        await index.UpsertAsync(Items.Name, [.. Enumerable.Range(0, 25).Select(n => AnItem($"i{n * 7 % 25:D2}"))], Token);
        Assert.Equal(Enumerable.Range(0, 25).Select(n => $"i{n:D2}"), (await index.ScrollAsync(Items.Name, ItemFilter.None, null, 100, Token)).Select(item => item.Id.Value));
        Assert.Equal("i01", (await index.ScrollAsync(Items.Name, ItemFilter.None, new ItemId("i00x"), 1, Token))[0].Id.Value);
    }
}
