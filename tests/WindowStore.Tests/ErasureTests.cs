using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Tests;

public abstract class ErasureTests(StoragePlace place) : IDisposable
{
    private static readonly UserId Ann = new("ann's");
    private readonly ParquetWindowStore store = place.Open();
    public void Dispose() => place.Dispose();

    public sealed class InAFolder() : ErasureTests(new FolderPlace());
    public sealed class OnS3(S3Server server) : ErasureTests(new S3Place(server));

    private void WriteThreeSegments()
    {
        store.Write(0, Rows.Purchase(0, "ann's", "a", 1), Rows.Purchase(1, "bob", "a", 2));
        store.Write(0, Rows.Purchase(2, "ann's", "b", 3));
        store.Write(1, Rows.Purchase(0, "bob", "b", 4, "other"));
    }

    [Fact]
    public void Rows_go_offsets_stay_covered_and_the_record_says_what_went()
    {
        WriteThreeSegments();
        store.Erase(Ann, 10);
        Assert.Equal(["bob a 1@2", "bob b 1@4"], store.Read(new WindowQuery()).Lines());
        Assert.Equal(3, store.NextOffset(Topics.Interactions, 0));
        var erasure = Assert.Single(place.Open().Erasures());
        Assert.Equal((10L, true), (erasure.AtMs, erasure.Done));
        Assert.Equal([new ErasedRange(0, 0, 2, 1, 3, 2)], erasure.Removed);
        Assert.Equal([new ErasedRow(0, 0, 1), new ErasedRow(0, 2, 3)], erasure.Rows!);
        Assert.DoesNotContain("ann", erasure.User, StringComparison.Ordinal);
    }

    [Fact]
    public void A_user_is_erased_up_to_the_newest_request_for_whoever_asks()
    {
        Assert.False(store.IsErased(Ann, 0));
        store.Erase(Ann, 10);
        store.Erase(Ann, 5);
        store.Erase(new UserId("carl"), 100);
        foreach (var asked in new[] { store, place.Open() })
        {
            Assert.Equal([true, true, false], new long[] { long.MinValue, 10, 11 }.Select(ms => asked.IsErased(Ann, ms)));
            Assert.False(asked.IsErased(new UserId("bob"), 0));
            Assert.True(asked.IsErased(new UserId("carl"), 100));
        }
        store.Erase(Ann, 20);
        Assert.True(store.IsErased(Ann, 20));
        Assert.Equal([20L, 100L], store.Erasures().Select(erasure => erasure.AtMs).Order());
    }

    [Fact]
    public void What_landed_before_the_request_goes_whatever_its_time_and_what_came_after_stays()
    {
        store.Write(0, Rows.Purchase(0, "ann's", "clock ahead", 500));
        store.Erase(Ann, 10);
        store.Write(0, Rows.Purchase(1, "ann's", "again", 11));
        store.Erase(Ann, 10); // as when the log is read again
        Assert.Equal(0, store.FinishErasures());
        Assert.Equal(["ann's again 1@11"], store.Read(new WindowQuery()).Lines());
        store.Erase(Ann, 20);
        Assert.Equal(0, store.Read(new WindowQuery()).Count);
        Assert.Equal([new ErasedRow(0, 0, 500), new ErasedRow(0, 1, 11)], Assert.Single(store.Erasures()).Rows!);
    }

    [Fact]
    public void Rows_that_a_late_writer_brings_back_are_found_by_whoever_looks()
    {
        WriteThreeSegments();
        store.Erase(Ann, 10);
        var zombie = place.Open();
        Assert.True(zombie.TryWriteInteractions(0, 3, 4, [Rows.Purchase(3, "ann's", "late", 9), Rows.Purchase(4, "bob", "late", 9)]));
        Assert.Equal(1, place.Open().FinishErasures());
        Assert.Equal(["bob a 1@2", "bob b 1@4", "bob late 1@9"], store.Read(new WindowQuery()).Lines());
        Assert.Equal(3, Assert.Single(place.Open().Erasures()).Rows!.Count);
        Assert.Equal(0, store.FinishErasures());
        Assert.True(zombie.TryWriteInteractions(0, 5, 5, [Rows.Purchase(5, "ann's", "later", 9)]));
        Assert.Equal(1, store.FinishErasures());
        Assert.Equal(0, zombie.FinishErasures());
    }

    [Fact]
    public void An_erasure_that_others_have_noted_is_finished_by_whoever_looks()
    {
        WriteThreeSegments();
        Assert.Equal(0, store.FinishErasures());
        var storage = place.OpenStorage();
        var noted = new Erasing.Erasures(storage);
        using (storage.Maintain()) noted.Update(noted.NameOf(Ann), erasure => erasure with { AtMs = 10 }); // and then it died
        Assert.Equal(2, store.FinishErasures());
        Assert.True(Assert.Single(store.Erasures()).Done);
        Assert.True(store.IsErased(Ann, 10));
        Assert.Empty(store.FindUser(Ann));
    }

    [Fact]
    public void Beyond_the_limit_of_rows_ranges_are_kept()
    {
        var rows = Enumerable.Range(0, Erasure.MaxRows + 1).Select(n => new ErasedRow(n % 2, n, 2 * n)).ToList();
        var kept = Erasure.Of("x").With(rows[..^1]);
        Assert.Equal(Erasure.MaxRows, kept.Rows!.Count);
        Assert.Equal(kept.Rows, kept.With(rows[..5]).Rows);
        var ranges = kept.With(rows[^1..]);
        Assert.Null(ranges.Rows);
        Assert.Equal([new ErasedRange(0, 0, 10_000, 0, 20_000, 5001), new ErasedRange(1, 1, 9_999, 2, 19_998, 5000)], ranges.Removed);
        Assert.Equal(new ErasedRange(0, 0, 10_002, 0, 20_004, 5002), ranges.With([new ErasedRow(0, 10_002, 20_004)]).Removed[0]);
    }

    [Fact]
    public void The_search_finds_a_user_in_segments_and_nobody_who_is_not_there()
    {
        WriteThreeSegments();
        Assert.Equal(2, store.FindUser(Ann).Count);
        Assert.Empty(store.FindUser(new UserId("ann")));
        store.Erase(Ann, 10);
        Assert.Empty(store.FindUser(Ann));
        Assert.Equal(2, store.FindUser(new UserId("bob")).Count);
    }
}
