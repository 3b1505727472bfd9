using System.Numerics;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>Places in a ranking by scores, best first; equal scores by index. Written for millions of calls: one pass, no sorting.</summary>
internal static class Ranking
{
    /// <summary>How deep a ranking is looked at.</summary>
    public const int Depth = 20;

    /// <summary>How many items stand before <paramref name="item"/>.</summary>
    public static int Above(ReadOnlySpan<float> scores, int item)
    {
        float score = scores[item];
        var wanted = new Vector<float>(score);
        Vector<int> greater = Vector<int>.Zero; // each lane counts down: a true comparison is -1
        int n = 0, width = Vector<float>.Count;
        for (; n <= scores.Length - width; n += width) greater += Vector.GreaterThan(new Vector<float>(scores[n..]), wanted);
        int above = -Vector.Sum(greater);
        for (; n < scores.Length; n++)
            if (scores[n] > score) above++;
        ReadOnlySpan<float> before = scores[..item];
        for (int tie = before.IndexOf(score); tie >= 0; tie = before.IndexOf(score))
        {
            above++;
            before = before[(tie + 1)..];
        }
        return above;
    }

    /// <summary>How many of the first <paramref name="count"/> of <paramref name="others"/> stand before <paramref name="item"/>.</summary>
    public static int AboveAmong(ReadOnlySpan<float> scores, int item, IReadOnlyList<int> others, int count)
    {
        int above = 0;
        for (int n = 0; n < count; n++)
        {
            int other = others[n];
            if (scores[other] > scores[item] || (scores[other] == scores[item] && other < item)) above++;
        }
        return above;
    }

    /// <summary>The first <paramref name="top"/>.Length items, best first. Items scored minus infinity are left out.</summary>
    /// <returns>How many there are.</returns>
    public static int Top(ReadOnlySpan<float> scores, Span<int> top)
    {
        int count = 0, n = 0, width = Vector<float>.Count;
        float least = float.NegativeInfinity;
        while (n < scores.Length)
        {
            if (n <= scores.Length - width && !Vector.GreaterThanAny(new Vector<float>(scores[n..]), new Vector<float>(least)))
            {
                n += width;
                continue;
            }
            for (int end = Math.Min(n + width, scores.Length); n < end; n++)
            {
                if (!(scores[n] > least)) continue;
                int place = Math.Min(count, top.Length - 1);
                for (; place > 0 && scores[top[place - 1]] < scores[n]; place--) top[place] = top[place - 1];
                top[place] = n;
                if (count < top.Length) count++;
                if (count == top.Length) least = scores[top[^1]];
            }
        }
        return count;
    }
}
