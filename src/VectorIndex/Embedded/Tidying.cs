using System.Numerics;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>What happens behind the writers' backs: files are verified once after opening, segments are merged, large ones divided into lists.</summary>
internal sealed partial class Collection
{
    /// <summary>Larger ones are not made.</summary>
    private const long MaxMergedRows = 4 << 20;

    private readonly CancellationTokenSource stopping = new();
    private Task tidying = Task.CompletedTask;
    private bool verifying;

    /// <summary>While a collection fills, dividing it into lists would be done again and again.</summary>
    private volatile bool loading;

    private volatile InvalidDataException? damage;

    /// <summary>Only with the turn held, or before anybody else knows the collection.</summary>
    private void StartTidying()
    {
        if (!plan.Background || stopping.IsCancellationRequested) return;
        tidying = tidying.ContinueWith(_ => Tidy(), stopping.Token, TaskContinuationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Verifies what was opened, and merges until nothing is left to merge.</summary>
    internal void Tidy()
    {
        if (verifying) Read(snapshot => Verify(snapshot));
        while (Read(MergeOnce)) { }
    }

    private bool Verify(Snapshot snapshot)
    {
        try
        {
            foreach (var part in snapshot.Parts) (part.Part as Segment)?.Verify(stopping.Token);
            verifying = false;
        }
        catch (InvalidDataException found)
        {
            damage = found;
            throw;
        }
        return verifying;
    }

    /// <returns>False: there was nothing to merge.</returns>
    private bool MergeOnce(Snapshot snapshot)
    {
        var old = ToMerge(snapshot);
        if (old.Count == 0) return false;
        var (items, deletions) = Rows(old);
        BuiltLists? lists = null;
        if (!loading && plan.ApproximateFrom > 0 && snapshot.Parts.Sum(part => (long)part.Rows) >= plan.ApproximateFrom && items.Count >= plan.MinListedRows)
        {
            (var ordered, lists) = RowClustering.Divide(items, Info.Dimension, stopping.Token);
            items = [.. ordered];
        }
        PartView? merged = items.Count + deletions.Count == 0 ? null : WriteSegment(items, deletions, lists, stopping.Token);

        turn.Wait(stopping.Token);
        try
        {
            if (merged is { } view) ForgetOutdated(view, [.. items, .. deletions], newest!.Parts.ToDictionary(part => part.Part));
            PartView[] kept = [.. newest!.Parts.Where(part => old.All(gone => gone.Part != part.Part))];
            PartView[] next = merged is { } one ? [one, .. kept] : kept;
            log.Flush(); // or the manifest would give up rows for changes that a crash takes away
            SegmentManifest.Write(folder, next);
            Publish(next);
        }
        catch
        {
            merged?.Part.Dispose();
            throw;
        }
        finally
        {
            turn.Release();
        }
        foreach (var gone in old)
        {
            try
            {
                DurableFiles.DeleteFile(((Segment)gone.Part).Path);
            }
            catch (Exception inUse) when (inUse is IOException or UnauthorizedAccessException)
            {
                // Windows keeps what is mapped; the next opening finds it as a leftover.
            }
        }
        return true;
    }

    /// <summary>Rows for which something newer came while they were written.</summary>
    private static void ForgetOutdated(PartView merged, RowPlace[] origins, Dictionary<Part, PartView> now)
    {
        for (int row = 0; row < origins.Length; row++)
            if (!now[origins[row].Part].Has(origins[row].Row)) merged.Newest[row >> 6] &= ~(1UL << (row & 63));
    }

    /// <summary>
    /// A segment of which most is outdated; else, where there are many segments, the smallest ones, so far that the next is larger than all of these together, which makes sizes grow geometrically;
    /// else, in a large collection, what is not divided into lists yet, when it is more than an eighth.
    /// </summary>
    private List<PartView> ToMerge(Snapshot snapshot)
    {
        var segments = snapshot.Parts.Where(part => part.Part is Segment).Select(part => (View: part, Rows: Newest(part))).OrderBy(segment => segment.Rows).ToList();
        var outdated = segments.Where(segment => segment.Rows < segment.View.Rows / 2).ToList();
        if (outdated.Count > 0) return [outdated[0].View];
        var chosen = new List<PartView>();
        long rows = 0;
        if (segments.Count >= plan.MaxSegments)
        {
            foreach (var (view, some) in segments)
            {
                if (chosen.Count >= plan.MaxSegments / 2 && some > rows || rows + some > MaxMergedRows) break;
                chosen.Add(view);
                rows += some;
            }
            return chosen.Count > 1 ? chosen : [];
        }
        long all = segments.Sum(segment => segment.Rows);
        if (loading || plan.ApproximateFrom == 0 || all < plan.ApproximateFrom) return [];
        chosen = [.. segments.Where(segment => segment.View.Part.Lists is null).Select(segment => segment.View)];
        rows = chosen.Sum(NewestItems);
        return rows >= plan.MinListedRows && rows > all / 8 && rows <= MaxMergedRows ? chosen : [];
    }

    private static long Newest(PartView part) => part.Newest.Sum(word => (long)BitOperations.PopCount(word));

    private static unsafe long NewestItems(PartView part)
    {
        long items = 0;
        for (int word = 0; word < part.Words; word++) items += BitOperations.PopCount(part.Newest[word] & part.Part.Items[word]);
        return items;
    }
}
