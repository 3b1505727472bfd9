using System.Globalization;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>One immutable file: partition, first and last offset that it covers.</summary>
/// <param name="File">Path on this machine; empty where the storage has only listed it.</param>
/// <param name="Version">Changes with the content where names do not say all: an object's ETag. Empty in a folder.</param>
internal sealed record Segment(int Partition, long First, long Last, string File, string Version = "")
{
    public (int Partition, long First, long Last, string Version) Identity => (Partition, First, Last, Version);
    public long Span => Last - First + 1;
    public bool Covers(Segment other) => First <= other.First && other.Last <= Last;
    public bool Meets(long first, long last) => First <= last && first <= Last;
}

/// <summary>The segments of one topic: <c>p=&lt;partition&gt;/&lt;first&gt;-&lt;last&gt;.parquet</c>, offsets with 20 digits. The names alone say what is covered.</summary>
internal sealed class SegmentFolder(string folder)
{
    public string Path(int partition) => System.IO.Path.Combine(folder, $"p={partition}");
    public string File(int partition, long first, long last) => System.IO.Path.Combine(Path(partition), $"{first:D20}-{last:D20}.parquet");

    /// <summary>What readers see, ordered by partition and offset: files inside the range of a larger one are left out (a compaction that died before it deleted them).</summary>
    public List<Segment> Visible() => [.. Partitions().SelectMany(Visible)];

    public List<Segment> Visible(int partition) => Visible(All(partition));

    /// <param name="all">Segments of one partition, a covering one before those that it covers.</param>
    public static List<Segment> Visible(IEnumerable<Segment> all)
    {
        var visible = new List<Segment>();
        foreach (var segment in all)
            if (visible.Count == 0 || !visible[^1].Covers(segment)) visible.Add(segment);
        return visible;
    }

    /// <summary>Whether a new segment would meet what is covered already; what lies below the oldest segment is.</summary>
    public static bool IsTaken(IReadOnlyList<Segment> visible, long first, long last) =>
        visible.Count > 0 && (first < visible[0].First || visible.Any(segment => segment.Meets(first, last)));

    /// <summary>Files that a larger one covers. Each partition is listed once: of two listings, a segment that appears in between would be in one alone and seem covered.</summary>
    public List<Segment> Covered()
    {
        var covered = new List<Segment>();
        foreach (int partition in Partitions())
        {
            List<Segment> all = [.. All(partition)];
            covered.AddRange(all.Except(Visible(all)));
        }
        return covered;
    }

    /// <summary>
    /// End of the gapless run of offsets. What lies below the oldest segment counts as covered: retention dropped it, or the log no longer had it.
    /// </summary>
    public long NextOffset(int partition) => NextOffset(Visible(partition));

    public static long NextOffset(IReadOnlyList<Segment> visible)
    {
        long next = visible.Count == 0 ? 0 : visible[0].First;
        foreach (var segment in visible)
        {
            if (segment.First > next) break;
            next = Math.Max(next, segment.Last + 1);
        }
        return next;
    }

    public IEnumerable<int> Partitions()
    {
        if (!Directory.Exists(folder)) return [];
        return Directory.EnumerateDirectories(folder, "p=*")
            .Select(path => int.TryParse(System.IO.Path.GetFileName(path).AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int partition) ? partition : -1)
            .Where(partition => partition >= 0).Order();
    }

    /// <summary>All segment files, a covering one before those that it covers.</summary>
    private IEnumerable<Segment> All(int partition)
    {
        if (!Directory.Exists(Path(partition))) return [];
        return Directory.EnumerateFiles(Path(partition), "*.parquet")
            .Select(file => Parse(partition, file)).OfType<Segment>()
            .OrderBy(segment => segment.First).ThenByDescending(segment => segment.Last);
    }

    private static Segment? Parse(int partition, string file)
    {
        ReadOnlySpan<char> name = System.IO.Path.GetFileNameWithoutExtension(file.AsSpan());
        return name.Length == 41 && name[20] == '-'
            && long.TryParse(name[..20], NumberStyles.None, CultureInfo.InvariantCulture, out long first)
            && long.TryParse(name[21..], NumberStyles.None, CultureInfo.InvariantCulture, out long last) && first <= last
            ? new Segment(partition, first, last, file) : null;
    }
}
