using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Tests;

public abstract class RewriteTests(StoragePlace place) : IDisposable
{
    private readonly ParquetWindowStore store = place.Open();
    public void Dispose() => place.Dispose();

    public sealed class InAFolder() : RewriteTests(new FolderPlace());
    public sealed class OnS3(S3Server server) : RewriteTests(new S3Place(server));

    private void WriteSmallSegments(int count)
    {
        for (int n = 0; n < count; n++) store.Write(0, Rows.Purchase(2 * n, $"u{n % 5}", $"i{n % 3}", 1000 - n), Rows.Purchase(2 * n + 1, $"u{n % 4}", "x", n));
    }

    [Fact]
    public void Compaction_changes_the_files_and_nothing_else()
    {
        WriteSmallSegments(20);
        for (int n = 0; n < 10; n++) Assert.True(store.TryWriteItems(0, n, n, [n == 3 ? new StoredItem(0, n, new ItemId("i0"), null) : Rows.Described(n, $"i{n % 3}", $"title {n}")]));
        var window = store.Read(new WindowQuery());
        string[] catalogue = [.. store.ReadCatalogue().Select(i => $"{i.Id} {i.Event!.Title} {i.Offset}")];
        Assert.Equal(19 + 9, store.Compact());
        Assert.Equal(window.ContentHash, store.Read(new WindowQuery()).ContentHash);
        Assert.Equal(catalogue, store.ReadCatalogue().Select(i => $"{i.Id} {i.Event!.Title} {i.Offset}"));
        Assert.Equal((1, 1), (store.Describe().InteractionSegments, store.Describe().ItemSegments));
        Assert.Equal(40, store.NextOffset(Topics.Interactions, 0));
        Assert.Equal(0, store.Compact());
    }

    [Fact]
    public void Neighbours_with_a_gap_between_them_are_not_merged()
    {
        var plan = CompactionPlan.Of([.. Enumerable.Range(0, 20).Select(n => new Segment(0, n * 10, n * 10 + (n == 9 ? 8 : 9), ""))]);
        Assert.Equal([(0L, 98L), (100L, 199L)], plan.Select(run => (run[0].First, run[^1].Last)));
    }

    [Fact]
    public void A_long_history_ends_in_few_segments_each_rewritten_few_times()
    {
        var segments = new List<Segment>();
        long rewritten = 0, next = 0;
        for (int n = 0; n < 5000; n++)
        {
            segments.Add(new Segment(0, next, next + 199, ""));
            next += 200;
            foreach (var run in CompactionPlan.Of(segments))
            {
                rewritten += run.Sum(s => s.Span);
                int at = segments.IndexOf(run[0]);
                segments.RemoveRange(at, run.Count);
                segments.Insert(at, new Segment(0, run[0].First, run[^1].Last, ""));
            }
        }
        Assert.InRange(segments.Count, 1, 40);
        Assert.InRange(rewritten / (double)next, 1, 5);
        Assert.Equal(next, SegmentFolder.NextOffset(segments));
    }

    [Fact]
    public async Task Readers_see_the_same_window_while_segments_are_compacted_away()
    {
        WriteSmallSegments(32);
        var asOf = store.Read(new WindowQuery()).AsOf;
        string hash = store.Read(new WindowQuery()).ContentHash;
        var compaction = Task.Run(() =>
        {
            for (int round = 0; round < 4; round++)
            {
                store.Compact();
                long next = store.NextOffset(Topics.Interactions, 0);
                for (int n = 0; n < 8; n++) store.Write(0, Rows.Purchase(next + n, "later", "x", 1));
            }
        }, TestContext.Current.CancellationToken);
        var other = place.Open();
        do Assert.Equal(hash, other.Read(new WindowQuery { AsOf = asOf }).ContentHash);
        while (!compaction.IsCompleted);
        await compaction;
    }
}
