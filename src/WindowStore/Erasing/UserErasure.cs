using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Erasing;

/// <summary>
/// Removes users from the segments. First the request is noted, then the rows that are about to go, then segments are rewritten, then the record says that it is done: after a crash
/// anywhere the next call for the user, or the next <see cref="Finish"/>, finds what is left.
/// </summary>
/// <remarks>
/// Rows can come back after that: a writer that lost its partition may still hold events that it read before the request, and write them where the new writer has not yet written; on S3 a merge
/// that began before the rewrite may end after it. Both make a segment of a new identity. So <see cref="Finish"/> looks through each identity once, against all erasures. A segment that was clean
/// stays so: segments do not change, and the user's later events are not erased ones. What was looked through is kept in memory alone; a new process looks through everything once.
/// </remarks>
internal sealed class UserErasure(ISegmentStorage storage, Erasures erasures)
{
    private const int Passes = 20;

    /// <summary>Segments that hold no row of an erased user, as far as they were known when it was looked through. Under the maintenance lock.</summary>
    private readonly HashSet<(int, long, long, string)> clean = [];

    public void Erase(UserId user, long atMs)
    {
        using var maintenance = storage.Maintain();
        storage.RemoveLeftovers(); // such a file could still hold the user
        var landed = storage.Visible(Topics.Interactions).GroupBy(segment => segment.Partition).ToDictionary(partition => partition.Key, partition => partition.Max(segment => segment.Last) + 1);
        string name = erasures.NameOf(user);
        erasures.Update(name, erasure => erasure.AtMs >= atMs ? erasure : erasure with { AtMs = atMs, Below = landed, Done = false });
        Remove(user, name);
    }

    /// <returns>Number of rows removed.</returns>
    public int Finish()
    {
        using var maintenance = storage.Maintain();
        bool news = erasures.Reload();
        var all = erasures.All().ToDictionary(erasure => erasure.User);
        if (all.Count == 0) return 0;
        if (news || all.Values.Any(erasure => !erasure.Done)) clean.Clear();
        int removed = 0;
        HashSet<(int, long, long, string)> seen;
        var found = new List<(UserId User, string Name)>();
        using (var open = storage.Open(Topics.Interactions, segment => !clean.Contains(segment.Identity)))
        {
            seen = [.. open.Segments.Select(segment => segment.Identity)];
            var fresh = open.Segments.Where(segment => !clean.Contains(segment.Identity)).ToList();
            if (fresh.Count > 0)
            {
                using var duck = new SegmentQuery(fresh, storage.SpillFolder);
                string names = string.Join(',', all.Keys.Select(SegmentQuery.Text));
                found = [.. duck.Rows($"""
                    SELECT user_id, sha256({SegmentQuery.Text(erasures.Salt)} || user_id) AS name, p, lowest, oldest FROM (
                        SELECT user_id, p, min("offset") AS lowest, epoch_ms(min(timestamp)) AS oldest FROM {duck.Table} GROUP BY user_id, p)
                    WHERE name IN ({names})
                    """, r => (User: new UserId(r.GetString(0)), Name: r.GetString(1), Lowest: new ErasedRow(r.GetInt32(2), r.GetInt64(3), r.GetInt64(4))))
                    .Where(one => all[one.Name].Covers(one.Lowest)).Select(one => (one.User, one.Name)).Distinct()];
            }
        }
        foreach (var (user, name) in found) removed += Remove(user, name);
        foreach (var unfinished in all.Values.Where(erasure => !erasure.Done)) erasures.Update(unfinished.User, erasure => erasure.Done ? erasure : erasure with { Done = true });
        clean.IntersectWith(seen);
        clean.UnionWith(seen);
        return removed;
    }

    /// <returns>Number of rows removed.</returns>
    private int Remove(UserId user, string name)
    {
        int removed = 0;
        var searched = new HashSet<(int, long, long, string)>();
        for (int pass = 0; pass < Passes; pass++)
        {
            var erasure = erasures.Update(name, erasure => erasure);
            var holding = Search(user, erasure, searched);
            if (holding.Count == 0)
            {
                erasures.Update(name, noted => noted.Done ? noted : noted with { Done = true });
                return removed;
            }
            erasures.Update(name, noted => noted.With([.. holding.SelectMany(one => one.Rows)]));
            foreach (var (segment, rows) in holding)
            {
                var gone = rows.Select(row => row.Offset).ToHashSet();
                // False: merged or rewritten by another meanwhile, and so of a new identity, which the next pass searches.
                if (storage.TryReplace(Topics.Interactions, [segment], (parts, temporary) =>
                    SegmentFile.WriteInteractions(temporary, [.. SegmentRows.Interactions(parts, storage.SpillFolder).Where(row => !gone.Contains(row.Offset))]))) removed += rows.Count;
            }
        }
        throw new IOException($"Segments were changed by others in each of {Passes} passes that erased a user; the erasure is noted and goes on with the next attempt.");
    }

    private List<(Segment Segment, List<ErasedRow> Rows)> Search(UserId user, Erasure erasure, HashSet<(int, long, long, string)> searched)
    {
        using var open = storage.Open(Topics.Interactions, segment => !searched.Contains(segment.Identity));
        var fresh = open.Segments.Where(segment => searched.Add(segment.Identity)).ToList();
        if (fresh.Count == 0) return [];
        string below = string.Concat(erasure.Below.Select(partition => $" OR (p = {partition.Key} AND \"offset\" < {partition.Value})"));
        using var duck = new SegmentQuery(fresh, storage.SpillFolder);
        var rows = duck.Rows($"""SELECT filename, p, "offset", epoch_ms(timestamp) FROM {duck.Table} WHERE user_id = {SegmentQuery.Text(user.Value)} AND (epoch_ms(timestamp) <= {erasure.AtMs}{below})""",
            r => (File: r.GetString(0), Row: new ErasedRow(r.GetInt32(1), r.GetInt64(2), r.GetInt64(3)))).ToLookup(one => one.File, one => one.Row, StringComparer.Ordinal);
        return [.. fresh.Where(segment => rows.Contains(segment.File)).Select(segment => (segment, rows[segment.File].ToList()))];
    }
}
