using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore.S3;

namespace BeeFormer.Streaming.WindowStore.Tests;

public abstract class SegmentTests(StoragePlace place) : IDisposable
{
    public void Dispose() => place.Dispose();

    public sealed class InAFolder() : SegmentTests(new FolderPlace());
    public sealed class OnS3(S3Server server) : SegmentTests(new S3Place(server));

    [Fact]
    public void Next_offset_follows_the_segments_and_survives_reopening()
    {
        var store = place.Open();
        Assert.Equal(0, store.NextOffset(Topics.Interactions, 3));
        Assert.True(store.TryWriteInteractions(3, 0, 9, [Rows.Purchase(4, "u", "i", 1)]));
        Assert.True(store.TryWriteInteractions(3, 10, 10, []));
        Assert.Equal(11, store.NextOffset(Topics.Interactions, 3));
        Assert.Equal(11, place.Open().NextOffset(Topics.Interactions, 3));
        Assert.Equal(0, store.NextOffset(Topics.Items, 3));
    }

    [Fact]
    public void A_gap_ends_the_covered_run()
    {
        var store = place.Open();
        Assert.True(store.TryWriteInteractions(0, 0, 4, []));
        Assert.True(store.TryWriteInteractions(0, 8, 9, []));
        Assert.Equal(5, store.NextOffset(Topics.Interactions, 0));
        Assert.True(store.TryWriteInteractions(0, 5, 7, []));
        Assert.Equal(10, store.NextOffset(Topics.Interactions, 0));
    }

    [Fact]
    public void Offsets_below_the_oldest_segment_count_as_covered()
    {
        var store = place.Open();
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
        var store = place.Open();
        Assert.True(store.TryWriteInteractions(0, 0, 9, [Rows.Purchase(5, "u", "first", 1)]));
        Assert.False(place.Open().TryWriteInteractions(0, first, last, [Rows.Purchase(9 < last ? 9 : 6, "u", "second", 1)]));
        Assert.Equal(["first"], store.Read(new WindowQuery()).Items.Select(i => i.Value));
        Assert.Equal(10, store.NextOffset(Topics.Interactions, 0));
    }

    [Fact]
    public void Of_many_writers_at_once_one_wins_each_range()
    {
        var stores = Enumerable.Range(0, 4).Select(_ => place.Open()).ToArray();
        for (int range = 0; range < 10; range++)
        {
            int wins = 0;
            Parallel.For(0, 4, n =>
            {
                if (stores[n].TryWriteInteractions(0, range * 10, range * 10 + 9, [Rows.Purchase(range * 10, "u", $"i{n}", 1)])) Interlocked.Increment(ref wins);
            });
            Assert.Equal(1, wins);
        }
        Assert.Equal(10, stores[0].Read(new WindowQuery()).Count);
    }

    [Fact]
    public void A_row_outside_its_segment_is_refused()
    {
        var store = place.Open();
        Assert.Contains("offset 12", Assert.Throws<ArgumentException>(() => store.TryWriteInteractions(0, 0, 9, [Rows.Purchase(12, "u", "i", 1)])).Message, StringComparison.Ordinal);
        Assert.Contains("9 to 3", Assert.Throws<ArgumentException>(() => store.TryWriteInteractions(0, 9, 3, [])).Message, StringComparison.Ordinal);
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

    [Fact]
    public void Offsets_below_the_oldest_segment_cannot_be_written()
    {
        var store = place.Open();
        Assert.True(store.TryWriteInteractions(0, 500, 599, []));
        Assert.False(store.TryWriteInteractions(0, 400, 499, [Rows.Purchase(450, "u", "late", 1)]));
        Assert.Equal((600L, 0L), (store.NextOffset(Topics.Interactions, 0), store.Describe().Interactions));
    }

    /// <summary>The one is slow between looking and writing; the other writes two segments meanwhile.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public async Task A_writer_that_was_overtaken_while_it_wrote_changes_nothing(long overtakersFirstLast)
    {
        ISegmentStorage zombie = place.OpenStorage();
        var overtaker = Task.CompletedTask;
        var other = place.Open();
        bool written = zombie.TryCreate(Topics.Interactions, 0, 0, 4, temporary =>
        {
            overtaker = Task.Run(() =>
            {
                other.TryWriteInteractions(0, 0, overtakersFirstLast, [Rows.Purchase(0, "u", "first", 1)]);
                other.TryWriteInteractions(0, other.NextOffset(Topics.Interactions, 0), 9, [Rows.Purchase(9, "u", "second", 2)]);
            }, TestContext.Current.CancellationToken);
            if (zombie is S3Storage) overtaker.Wait(TestContext.Current.CancellationToken); // in a folder it waits for the lock that the zombie holds
            SegmentFile.WriteInteractions(temporary, [Rows.Purchase(0, "u", "first", 1)]);
        });
        await overtaker;
        Assert.Equal(zombie is not S3Storage, written);
        Assert.Equal(10, other.NextOffset(Topics.Interactions, 0));
        Assert.Equal(["u first 1@1", "u second 1@2"], place.Open().Read(new WindowQuery()).Lines());
    }
}
