using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Tests;

public abstract class RetentionTests(StoragePlace place) : IDisposable
{
    private static readonly DateTimeOffset Ahead = DateTimeOffset.UnixEpoch.AddYears(1000); // of the time at which the tests write
    private readonly ParquetWindowStore store = place.Open();
    public void Dispose() => place.Dispose();

    public sealed class InAFolder() : RetentionTests(new FolderPlace());
    public sealed class OnS3(S3Server server) : RetentionTests(new S3Place(server));

    [Fact]
    public void Old_segments_lose_their_rows_and_stay_covered_and_the_newest_stays()
    {
        for (int n = 0; n < 5; n++) store.Write(0, Rows.Purchase(2 * n, "u", $"i{n}", n), Rows.Purchase(2 * n + 1, "u", $"j{n}", 100 + n));
        store.Write(1, Rows.Purchase(7, "v", "only", 1));
        Assert.True(store.TryWriteItems(0, 0, 0, [Rows.Described(0, "i", "old")]));
        Assert.True(store.TryWriteItems(0, 1, 1, [Rows.Described(1, "j", "old")]));
        Assert.Equal(4, store.DropBefore(Ahead));
        var reopened = place.Open();
        Assert.Equal(["u i4 1@4", "u j4 1@104", "v only 1@1"], reopened.Read(new WindowQuery()).Lines().Order(StringComparer.Ordinal));
        Assert.Equal((10L, 8L), (reopened.NextOffset(Topics.Interactions, 0), reopened.NextOffset(Topics.Interactions, 1)));
        Assert.Equal((3, 2), (reopened.Describe().InteractionSegments, reopened.ReadCatalogue().Count));
        Assert.Equal(0, store.DropBefore(Ahead));
        Assert.Equal(0, store.DropBefore(Ahead));
    }

    [Fact]
    public void A_late_writer_cannot_bring_dropped_offsets_back()
    {
        for (int n = 0; n < 3; n++) store.Write(0, Rows.Purchase(n, "u", $"i{n}", n));
        store.DropBefore(Ahead);
        var zombie = place.Open();
        foreach (int first in new[] { 0, 1 })
            Assert.False(zombie.TryWriteInteractions(0, first, first, [Rows.Purchase(first, "u", "back", 1)]));
        Assert.Equal(["u i2 1@2"], store.Read(new WindowQuery()).Lines());
        store.Write(0, Rows.Purchase(3, "u", "i3", 3)); // and dropping goes on where it ended
        Assert.Equal(1, store.DropBefore(Ahead));
        Assert.Equal((2, 4L), (store.Describe().InteractionSegments, store.NextOffset(Topics.Interactions, 0)));
    }

    [Fact]
    public void Newest_event_and_landing_must_both_be_old()
    {
        long future = Ahead.ToUnixTimeMilliseconds() + 1;
        store.Write(0, Rows.Purchase(0, "u", "old", 5));
        store.Write(0, Rows.Purchase(1, "u", "old", 5), Rows.Purchase(2, "u", "new", future));
        store.Write(0, Rows.Purchase(3, "u", "old", 5));
        store.Write(0, Rows.Purchase(4, "u", "old", 5));
        Assert.Equal(0, store.DropBefore(DateTimeOffset.FromUnixTimeMilliseconds(1000))); // events of 5 ms, landed now
        Assert.Equal(2, store.DropBefore(Ahead));
        Assert.Equal([1L, 2L, 4L], place.Open().Offsets());
    }

    [Fact]
    public void Compaction_does_not_make_segments_younger()
    {
        for (int n = 0; n < CompactionPlan.MinSegments; n++) store.Write(0, Rows.Purchase(n, "u", $"i{n}", n));
        var storage = place.OpenStorage();
        long landed = storage.Visible(Topics.Interactions).Max(segment => storage.LandedMs(Topics.Interactions, segment));
        Assert.Equal(CompactionPlan.MinSegments - 1, store.Compact());
        var merged = Assert.Single(storage.Visible(Topics.Interactions));
        Assert.Equal(landed, storage.LandedMs(Topics.Interactions, merged));
    }
}
