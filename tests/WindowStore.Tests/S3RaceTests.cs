using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore.S3;

namespace BeeFormer.Streaming.WindowStore.Tests;

/// <summary>Writers, merges and erasures on S3 that know nothing of one another.</summary>
public sealed class S3RaceTests(S3Server server) : IDisposable
{
    private readonly S3Place place = new(server);
    public void Dispose() => place.Dispose();

    [Fact]
    public void A_writer_that_comes_after_its_place_was_merged_away_changes_nothing()
    {
        var store = place.Open();
        for (int n = 0; n < 3; n++) store.Write(0, Rows.Purchase(n, "u", $"i{n}", n));
        var zombie = place.OpenStorage();
        Assert.False(zombie.TryCreate(Topics.Interactions, 0, 3, 3, file =>
        {
            for (int n = 3; n < 8; n++) store.Write(0, Rows.Purchase(n, "u", $"i{n}", n));
            Assert.Equal(7, store.Compact()); // the name of offset 3 is free now
            SegmentFile.WriteInteractions(file, [Rows.Purchase(3, "u", "i3", 3)]);
        }));
        AssertEight(store);
    }

    [Theory]
    [InlineData(8, 8)] // the same segments
    [InlineData(8, 10)] // the one has seen more
    [InlineData(10, 8)]
    public void Of_two_merges_at_once_none_loses_a_row(int slow, int fast)
    {
        var store = place.Open();
        for (int n = 0; n < 8; n++) store.Write(0, Rows.Purchase(n, "u", $"i{n}", n));
        ISegmentStorage first = place.OpenStorage(), second = place.OpenStorage();
        var seen = second.Visible(Topics.Interactions);
        for (int n = 8; n < 10; n++) store.Write(0, Rows.Purchase(n, "u", $"i{n}", n));
        var all = second.Visible(Topics.Interactions);
        bool faster = false, slower;
        slower = first.TryReplace(Topics.Interactions, [.. (slow == 8 ? seen : all)], (parts, file) =>
        {
            SegmentFile.WriteInteractions(file, SegmentRows.Interactions(parts, first.SpillFolder));
            faster = second.TryReplace(Topics.Interactions, [.. (fast == 8 ? seen : all)], (theirs, other) => SegmentFile.WriteInteractions(other, SegmentRows.Interactions(theirs, second.SpillFolder)));
        });
        Assert.Equal((true, false), (faster, slower));
        Assert.Equal(10, store.NextOffset(Topics.Interactions, 0));
        Assert.Equal(10, place.Open().Read(new WindowQuery()).Count);
    }

    /// <summary>They meet on no name: the one begins a segment later. What the one has grown the other must not delete.</summary>
    [Fact]
    public void Of_two_merges_of_different_ranges_none_loses_a_row()
    {
        var store = place.Open();
        for (int n = 0; n < 8; n++) store.Write(0, Rows.Purchase(n, "u", $"i{n}", n));
        ISegmentStorage first = place.OpenStorage(), second = place.OpenStorage();
        var all = first.Visible(Topics.Interactions);
        void Merge(IReadOnlyList<Segment> parts, string file) => SegmentFile.WriteInteractions(file, SegmentRows.Interactions(parts, first.SpillFolder));
        Assert.True(first.TryReplace(Topics.Interactions, [.. all.Take(6)], (parts, file) =>
        {
            Merge(parts, file);
            Assert.True(second.TryReplace(Topics.Interactions, [.. all.Skip(1)], Merge));
        }));
        AssertEight(store);
        store.Compact();
        AssertEight(store);
    }

    [Fact]
    public void A_merge_that_began_before_an_erasure_and_ends_after_it_is_cleaned_by_upkeep()
    {
        var store = place.Open();
        for (int n = 0; n < 8; n++) store.Write(0, Rows.Purchase(n, n == 5 ? "ann" : "bob", $"i{n}", n));
        var slow = place.OpenStorage();
        Assert.True(slow.TryReplace(Topics.Interactions, slow.Visible(Topics.Interactions), (parts, file) =>
        {
            SegmentFile.WriteInteractions(file, SegmentRows.Interactions(parts, slow.SpillFolder));
            store.Erase(new UserId("ann"), 100);
        }));
        store.Compact();
        Assert.Equal(1, store.FinishErasures());
        Assert.Empty(store.FindUser(new UserId("ann")));
        Assert.Equal((7, 8L), (store.Read(new WindowQuery()).Count, store.NextOffset(Topics.Interactions, 0)));
    }

    [Fact]
    public async Task What_a_merge_that_died_left_is_not_read_and_later_removed()
    {
        var store = place.Open();
        for (int n = 0; n < 8; n++) store.Write(0, Rows.Purchase(n, "u", $"i{n}", n));
        await server.FailAsync([.. Enumerable.Repeat(("DELETE", $"/{place.Location.Bucket}/", "503"), 5)]);
        Assert.Throws<IOException>(() => store.Compact());
        AssertEight(store);
        Assert.Equal(1, store.Describe().InteractionSegments);
        Assert.Equal(8, place.Objects().List("interactions/").Count);
        place.Open().Compact();
        Assert.Single(place.Objects().List("interactions/"));
        AssertEight(store);
    }

    /// <summary>As when a listing shows a merge's first object as it was, and another as it is on its way out: it must be listed again, and nothing else be made of it.</summary>
    [Fact]
    public void A_mark_is_never_taken_for_a_segment()
    {
        var store = place.Open();
        for (int n = 0; n < 3; n++) store.Write(0, Rows.Purchase(n, "u", $"i{n}", n));
        var objects = place.Objects();
        var second = objects.List("interactions/")[1];
        objects.TryPut(second.Name, new byte[S3Listing.MarkBytes], second.ETag, objects.Head(second.Name)!.Metadata.Where(one => one.Key != "writer").ToDictionary());
        foreach (var reader in new[] { store, place.Open() })
            Assert.Contains("changed by others", Assert.Throws<IOException>(() => reader.Read(new WindowQuery())).Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => store.Compact());
        Assert.Equal(3, objects.List("interactions/").Count);
    }

    private static void AssertEight(ParquetWindowStore store)
    {
        Assert.Equal(8, store.NextOffset(Topics.Interactions, 0));
        Assert.Equal(Enumerable.Range(0, 8).Select(n => $"u i{n} 1@{n}"), store.Read(new WindowQuery()).Lines());
    }
}
