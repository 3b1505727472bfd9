using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Tests;

/// <summary>What a store in a folder promises about its files.</summary>
public sealed class FolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    public void Dispose() => folder.Dispose();

    [Fact]
    public void Names_say_what_is_covered()
    {
        var store = new ParquetWindowStore(folder.Path);
        Assert.True(store.TryWriteInteractions(3, 0, 9, [Rows.Purchase(4, "u", "i", 1)]));
        Assert.False(store.TryWriteInteractions(3, 5, 12, [Rows.Purchase(6, "u", "i", 1)]));
        Assert.Equal(["00000000000000000000-00000000000000000009.parquet"], Directory.GetFiles(folder.File("interactions/p=3"), "*.*").Select(Path.GetFileName).Where(name => name![0] != '.'));
        Assert.Empty(Directory.GetFiles(folder.File("interactions/p=3"), "*.tmp"));
    }

    [Fact]
    public void A_folder_may_have_any_name()
    {
        var store = new ParquetWindowStore(folder.File("it's [a] *name?"));
        store.Write(0, Rows.Purchase(0, "u", "i", 1));
        Assert.Equal(1, store.Read(new WindowQuery()).Count);
        store.Erase(new UserId("u"), 10_000);
        Assert.Equal(0, store.Read(new WindowQuery()).Count);
    }

    [Fact]
    public void Temporary_files_of_a_dead_writer_are_removed_on_opening()
    {
        new ParquetWindowStore(folder.Path).Write(0, Rows.Purchase(0, "u", "i", 1));
        string leftover = folder.File("interactions/p=0/.write-1.tmp");
        File.WriteAllText(leftover, "PAR1 torn");
        var store = new ParquetWindowStore(folder.Path);
        Assert.False(File.Exists(leftover));
        Assert.Equal(1, store.Read(new WindowQuery()).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_damaged_segment_is_named(bool cutShort)
    {
        var store = new ParquetWindowStore(folder.Path);
        store.Write(0, Rows.Purchase(0, "u", "i", 1));
        store.Write(0, Rows.Purchase(1, "u", "i", 1));
        string file = folder.File("interactions/p=0/00000000000000000001-00000000000000000001.parquet");
        byte[] bytes = File.ReadAllBytes(file);
        File.WriteAllBytes(file, cutShort ? bytes[..^20] : [.. bytes.Select((b, n) => n is > 3 and < 200 ? (byte)0xff : b)]);
        Assert.Contains(file, Assert.Throws<InvalidDataException>(() => store.Read(new WindowQuery())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("beeformer window store, format 2\n")]
    [InlineData("")]
    public void A_folder_of_another_format_is_refused_and_left_alone(string marker)
    {
        File.WriteAllText(folder.File("window-store.format"), marker);
        Assert.Contains("window-store.format", Assert.Throws<InvalidDataException>(() => new ParquetWindowStore(folder.Path)).Message, StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Segments_without_a_format_marker_are_refused()
    {
        Directory.CreateDirectory(folder.File("interactions/p=0"));
        Assert.Throws<InvalidDataException>(() => new ParquetWindowStore(folder.Path));
    }

    [Fact]
    public void Column_names_and_types_are_frozen()
    {
        var store = new ParquetWindowStore(folder.Path);
        store.Write(0, new StoredInteraction(0, "e", new UserId("u"), new ItemId("i"), "rating", 4.5, 1_700_000_000_123, "s"));
        Assert.True(store.TryWriteItems(0, 0, 0, [Rows.Described(0, "i", "A title")]));
        Assert.Equal(
            ["offset BIGINT", "event_id VARCHAR", "user_id VARCHAR", "item_id VARCHAR", "type VARCHAR", "value DOUBLE", "timestamp TIMESTAMP WITH TIME ZONE", "session_id VARCHAR", "p INTEGER"],
            Columns(folder.File("interactions/p=0/00000000000000000000-00000000000000000000.parquet")));
        Assert.Equal(["offset BIGINT", "item_id VARCHAR", "event VARCHAR", "p INTEGER"], Columns(folder.File("items/p=0/00000000000000000000-00000000000000000000.parquet")));

        string[] Columns(string file)
        {
            using var duck = new SegmentQuery([new Segment(0, 0, 0, file)], folder.File(".spill"));
            return [.. duck.Rows($"DESCRIBE SELECT * FROM {duck.Table}", r => $"{r.GetString(0)} {r.GetString(1)}")];
        }
    }

    [Fact]
    public void Files_that_a_crashed_compaction_left_are_ignored_then_removed()
    {
        var store = new ParquetWindowStore(folder.Path);
        for (int n = 0; n < 9; n++) store.Write(0, Rows.Purchase(2 * n, $"u{n % 5}", $"i{n % 3}", 1000 - n), Rows.Purchase(2 * n + 1, $"u{n % 4}", "x", n));
        string[] small = Directory.GetFiles(folder.File("interactions/p=0"), "*.parquet");
        var copies = small.ToDictionary(file => file, File.ReadAllBytes);
        string hash = store.Read(new WindowQuery()).ContentHash;
        store.Compact();
        foreach (var (file, bytes) in copies) File.WriteAllBytes(file, bytes); // as if it had died before it deleted them
        var reopened = new ParquetWindowStore(folder.Path);
        Assert.Equal(hash, reopened.Read(new WindowQuery()).ContentHash);
        Assert.Equal((1, 18L), (reopened.Describe().InteractionSegments, reopened.NextOffset(Topics.Interactions, 0)));
        reopened.Compact();
        Assert.Single(Directory.GetFiles(folder.File("interactions/p=0"), "*.parquet"));
    }

    [Fact]
    public async Task A_segment_that_appears_while_the_folder_is_looked_through_is_not_taken_for_a_covered_one()
    {
        var segments = new SegmentFolder(folder.File("interactions"));
        Directory.CreateDirectory(segments.Path(0));
        using var written = new CancellationTokenSource();
        var looking = Task.Run(() =>
        {
            while (!written.IsCancellationRequested) Assert.Empty(segments.Covered());
        }, TestContext.Current.CancellationToken);
        for (int n = 0; n < 2_000; n++) await File.WriteAllBytesAsync(segments.File(0, n, n), [], TestContext.Current.CancellationToken);
        await written.CancelAsync();
        await looking;
    }
}
