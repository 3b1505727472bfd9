using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Tests;

public sealed class SegmentTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    public void Dispose() => folder.Dispose();

    [Fact]
    public void Next_offset_follows_the_segments_and_survives_reopening()
    {
        var store = new ParquetWindowStore(folder.Path);
        Assert.Equal(0, store.NextOffset(Topics.Interactions, 3));
        Assert.True(store.TryWriteInteractions(3, 0, 9, [Rows.Purchase(4, "u", "i", 1)]));
        Assert.True(store.TryWriteInteractions(3, 10, 10, []));
        Assert.Equal(11, store.NextOffset(Topics.Interactions, 3));
        Assert.Equal(11, new ParquetWindowStore(folder.Path).NextOffset(Topics.Interactions, 3));
        Assert.Equal(0, store.NextOffset(Topics.Items, 3));
        Assert.True(File.Exists(folder.File("interactions/p=3/00000000000000000000-00000000000000000009.parquet")));
    }

    [Fact]
    public void A_gap_ends_the_covered_run()
    {
        var store = new ParquetWindowStore(folder.Path);
        Assert.True(store.TryWriteInteractions(0, 0, 4, []));
        Assert.True(store.TryWriteInteractions(0, 8, 9, []));
        Assert.Equal(5, store.NextOffset(Topics.Interactions, 0));
        Assert.True(store.TryWriteInteractions(0, 5, 7, []));
        Assert.Equal(10, store.NextOffset(Topics.Interactions, 0));
    }

    [Fact]
    public void Offsets_below_the_oldest_segment_count_as_covered()
    {
        var store = new ParquetWindowStore(folder.Path);
        Assert.True(store.TryWriteInteractions(0, 500, 599, []));
        Assert.Equal(600, store.NextOffset(Topics.Interactions, 0));
    }

    [Theory]
    [InlineData(0, 9)]
    [InlineData(0, 20)]
    [InlineData(5, 7)]
    [InlineData(9, 30)]
    public void A_writer_that_comes_second_changes_nothing(long first, long last)
    {
        var store = new ParquetWindowStore(folder.Path);
        Assert.True(store.TryWriteInteractions(0, 0, 9, [Rows.Purchase(5, "u", "first", 1)]));
        Assert.False(new ParquetWindowStore(folder.Path).TryWriteInteractions(0, first, last, [Rows.Purchase(9 < last ? 9 : 6, "u", "second", 1)]));
        Assert.Equal(["first"], store.Read(new WindowQuery()).Items.Select(i => i.Value));
        Assert.Equal(10, store.NextOffset(Topics.Interactions, 0));
        Assert.Empty(Directory.GetFiles(folder.File("interactions/p=0"), "*.tmp"));
    }

    [Fact]
    public void Of_many_writers_at_once_one_wins_each_range()
    {
        var stores = Enumerable.Range(0, 4).Select(_ => new ParquetWindowStore(folder.Path)).ToArray();
        int[] wins = new int[10];
        Parallel.For(0, 40, n =>
        {
            int range = n / 4;
            if (stores[n % 4].TryWriteInteractions(0, range * 10, range * 10 + 9, [Rows.Purchase(range * 10, "u", $"i{n}", 1)])) Interlocked.Increment(ref wins[range]);
        });
        Assert.All(wins, count => Assert.Equal(1, count));
        Assert.Equal(10, stores[0].Read(new WindowQuery()).Count);
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
    public void A_row_outside_its_segment_is_refused()
    {
        var store = new ParquetWindowStore(folder.Path);
        Assert.Contains("offset 12", Assert.Throws<ArgumentException>(() => store.TryWriteInteractions(0, 0, 9, [Rows.Purchase(12, "u", "i", 1)])).Message, StringComparison.Ordinal);
        Assert.Contains("9 to 3", Assert.Throws<ArgumentException>(() => store.TryWriteInteractions(0, 9, 3, [])).Message, StringComparison.Ordinal);
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
    public void Item_events_come_back_as_they_were_written()
    {
        var attributes = JsonDocument.Parse("""{"brand":"Ünit \"x\"","sizes":["s","m"],"price":12.50,"sale":true}""").RootElement.EnumerateObject().ToDictionary(a => a.Name, a => a.Value);
        var item = new ItemEvent(new ItemId("i\u20ac"), "Titel 😀", "Text", attributes, "https://shop/i.png", false, 42);
        var back = ItemJson.Read(ItemJson.Write(item));
        Assert.Equal(item with { Attributes = back.Attributes }, back);
        Assert.Equal(attributes.Select(a => $"{a.Key}={a.Value.GetRawText()}").Select(Unescaped), back.Attributes.Select(a => $"{a.Key}={a.Value.GetRawText()}").Select(Unescaped));

        static string Unescaped(string text) => text.Replace("\\u0022", "\\\"", StringComparison.Ordinal);
    }
}
