namespace BeeFormer.Streaming.WindowStore;

/// <summary>
/// Which neighbours become one. A merge must leave a segment several times the size of its largest part, so every row is rewritten only a few times
/// while the number of files stays small.
/// </summary>
internal static class CompactionPlan
{
    /// <summary>Fewer neighbours are not worth a rewrite.</summary>
    public const int MinSegments = 8;
    /// <summary>Growth that a merge must bring over its largest part.</summary>
    private const int MinGrowth = 4;
    /// <summary>Offsets from which on a segment is left alone.</summary>
    private const long FullSpan = 1 << 18;

    /// <param name="segments">Visible segments of one partition in order.</param>
    public static List<List<Segment>> Of(IReadOnlyList<Segment> segments)
    {
        var merges = new List<List<Segment>>();
        int n = 0;
        while (n < segments.Count)
        {
            var run = Run(segments, n);
            bool worth = run.Count >= MinSegments && run.Sum(s => s.Span) >= MinGrowth * run.Max(s => s.Span);
            if (worth) merges.Add(run);
            n += worth ? run.Count : 1;
        }
        return merges;
    }

    /// <summary>Gapless neighbours from <paramref name="start"/> on that together are at most a full segment.</summary>
    private static List<Segment> Run(IReadOnlyList<Segment> segments, int start)
    {
        var run = new List<Segment>();
        long total = 0;
        for (int n = start; n < segments.Count && total + segments[n].Span <= FullSpan; n++)
        {
            if (run.Count > 0 && run[^1].Last + 1 != segments[n].First) break;
            run.Add(segments[n]);
            total += segments[n].Span;
        }
        return run;
    }
}
