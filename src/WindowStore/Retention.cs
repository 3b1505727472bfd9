using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>
/// Drops old interactions by whole segments. Runs of them become one segment without rows, so their offsets stay covered: reading goes on where it did, and a writer that comes late with
/// events of that range is refused. The newest segment of a partition stays.
/// </summary>
internal sealed class Retention(ISegmentStorage storage)
{
    /// <summary>Newest event of segments that were looked into; null: they have no rows. Under the maintenance lock.</summary>
    private Dictionary<(int, long, long, string), long?> newestMs = [];

    /// <summary>Both must be older: an import of an old history stays for as long as new events do. A merged segment counts as landed when its newest part did.</summary>
    /// <returns>Number of segments whose rows went.</returns>
    public int Drop(long beforeMs)
    {
        using var maintenance = storage.Maintain();
        var candidates = storage.Visible(Topics.Interactions).GroupBy(segment => segment.Partition)
            .SelectMany(partition => partition.SkipLast(1)).Where(segment => storage.LandedMs(Topics.Interactions, segment) < beforeMs).ToList();
        if (candidates.Count == 0) return 0;
        LookInto(candidates);
        int dropped = 0;
        foreach (var run in Runs([.. candidates.Where(segment => newestMs.TryGetValue(segment.Identity, out long? newest) && (newest ?? long.MinValue) < beforeMs)]))
        {
            int withRows = run.Count(segment => newestMs[segment.Identity] is not null);
            if (withRows == 0 || !storage.TryReplace(Topics.Interactions, run, (_, temporary) => SegmentFile.WriteInteractions(temporary, []))) continue;
            dropped += withRows;
            foreach (var segment in run) newestMs.Remove(segment.Identity);
        }
        return dropped;
    }

    private void LookInto(List<Segment> candidates)
    {
        var identities = candidates.Select(segment => segment.Identity).ToHashSet();
        newestMs = newestMs.Where(one => identities.Contains(one.Key)).ToDictionary();
        if (candidates.All(segment => newestMs.ContainsKey(segment.Identity))) return;
        using var open = storage.Open(Topics.Interactions, segment => identities.Contains(segment.Identity) && !newestMs.ContainsKey(segment.Identity));
        var fresh = open.Segments.Where(segment => identities.Contains(segment.Identity) && !newestMs.ContainsKey(segment.Identity)).ToList();
        if (fresh.Count == 0) return;
        using var duck = new SegmentQuery(fresh, storage.SpillFolder);
        var newest = duck.Rows($"SELECT filename, epoch_ms(max(timestamp)) FROM {duck.Table} GROUP BY filename", r => (r.GetString(0), r.GetInt64(1))).ToDictionary();
        foreach (var segment in fresh) newestMs[segment.Identity] = newest.TryGetValue(segment.File, out long ms) ? ms : null;
    }

    /// <summary>Gapless neighbours.</summary>
    private static List<List<Segment>> Runs(List<Segment> segments)
    {
        var runs = new List<List<Segment>>();
        foreach (var segment in segments)
            if (runs.Count > 0 && runs[^1][^1] is var last && last.Partition == segment.Partition && last.Last + 1 == segment.First) runs[^1].Add(segment);
            else runs.Add([segment]);
        return runs;
    }
}
