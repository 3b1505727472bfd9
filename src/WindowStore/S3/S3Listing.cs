using System.Collections.Concurrent;
using System.Globalization;

namespace BeeFormer.Streaming.WindowStore.S3;

/// <summary>Which segments there are: names give partition and first offset, metadata the rest, asked once for each version of an object.</summary>
internal sealed class S3Listing(S3Objects objects)
{
    public const int Attempts = 10;
    /// <summary>Size of what takes a covered object's place before it is deleted; no Parquet file is so small.</summary>
    public const int MarkBytes = 16;

    private readonly ConcurrentDictionary<(string Name, string ETag), S3Facts> facts = [];

    /// <summary>
    /// All segments of a prefix. A listing is no picture of one moment: while it is read, a merge may remove what an earlier page shows in its old size. An object that is gone when its
    /// metadata are asked for, or only a mark any more, may be left out if another covers it; a listing with a gap counts only if the next one is the same.
    /// </summary>
    /// <param name="marks">Marks as well, which others cover.</param>
    public List<Segment> All(string prefix, bool marks = false)
    {
        List<Segment>? before = null;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            var entries = objects.List(prefix).Select(entry => (entry.Name, entry.ETag, Place: Place(entry.Name))).Where(entry => entry.Place is not null).ToList();
            var found = S3Calls.AtOnce(entries, entry => Current(entry.Name, entry.ETag));
            List<Segment> Those(Func<S3Facts, bool> which) => [.. entries.Zip(found).Where(one => one.Second is { } current && which(current.Facts))
                .Select(one => new Segment(one.First.Place!.Value.Partition, one.First.Place.Value.First, one.Second!.Value.Facts.Last, "", one.Second.Value.ETag))
                .OrderBy(segment => segment.Partition).ThenBy(segment => segment.First)];
            var all = Those(one => one.Size > MarkBytes);
            var gone = entries.Zip(found).Where(one => one.Second is null || one.Second.Value.Facts.Size <= MarkBytes).Select(one => one.First.Place!.Value);
            if (!gone.All(one => all.Any(segment => segment.Partition == one.Partition && segment.Meets(one.First, one.First)))) continue;
            if (!HasGap(VisibleOf(all)) || (before is not null && all.SequenceEqual(before))) return marks ? Those(_ => true) : all;
            before = all;
        }
        throw new IOException($"{objects.FullName(prefix)}: segments were changed by others in each of {Attempts} attempts to list them.");
    }

    /// <returns>Null: there is no such version any more.</returns>
    public S3Facts? FactsOf(string name, string eTag) => Current(name, eTag) is { } current && current.ETag == eTag ? current.Facts : null;

    /// <param name="eTag">The version that was listed; where it is known already, nobody is asked.</param>
    /// <returns>Null: there is no such object any more.</returns>
    private (string ETag, S3Facts Facts)? Current(string name, string eTag)
    {
        if (facts.TryGetValue((name, eTag), out var known)) return (eTag, known);
        if (objects.Head(name) is not { } head) return null;
        if (!long.TryParse(head.Metadata.GetValueOrDefault("last"), NumberStyles.None, CultureInfo.InvariantCulture, out long last)
            || !long.TryParse(head.Metadata.GetValueOrDefault("landed"), NumberStyles.None, CultureInfo.InvariantCulture, out long landed))
            throw new InvalidDataException($"{objects.FullName(name)} lacks the metadata last and landed; expected an object as the store wrote it.");
        return (head.ETag, facts[(name, head.ETag)] = new S3Facts(last, landed, head.Size));
    }

    public void Remember(string name, string eTag, S3Facts written) => facts[(name, eTag)] = written;

    /// <summary>Forgets versions of a topic that are not among these.</summary>
    public void ForgetOthers(string topic, IEnumerable<Segment> current)
    {
        var kept = current.Select(segment => (NameOf(topic, segment), segment.Version)).ToHashSet();
        foreach (var old in facts.Keys.Where(key => key.Name.StartsWith($"{topic}/", StringComparison.Ordinal) && !kept.Contains(key))) facts.TryRemove(old, out _);
    }

    public static List<Segment> VisibleOf(IReadOnlyList<Segment> all) => [.. all.GroupBy(segment => segment.Partition).SelectMany(SegmentFolder.Visible)];

    private static bool HasGap(List<Segment> visible) =>
        Enumerable.Range(1, Math.Max(0, visible.Count - 1)).Any(n => visible[n].Partition == visible[n - 1].Partition && visible[n].First > visible[n - 1].Last + 1);

    public static string NameOf(string topic, Segment segment) => string.Create(CultureInfo.InvariantCulture, $"{topic}/p={segment.Partition}/{segment.First:D20}.parquet");

    /// <returns>Null: no segment's name.</returns>
    private static (int Partition, long First)? Place(string name)
    {
        string[] parts = name.Split('/');
        return parts.Length == 3 && parts[1].StartsWith("p=", StringComparison.Ordinal) && parts[2].Length == 28 && parts[2].EndsWith(".parquet", StringComparison.Ordinal)
            && int.TryParse(parts[1].AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int partition)
            && long.TryParse(parts[2].AsSpan(0, 20), NumberStyles.None, CultureInfo.InvariantCulture, out long first) ? (partition, first) : null;
    }
}

/// <param name="Last">Last offset covered.</param>
/// <param name="LandedMs">When the newest rows were written, UTC milliseconds.</param>
/// <param name="Size">Bytes.</param>
internal sealed record S3Facts(long Last, long LandedMs, long Size);
