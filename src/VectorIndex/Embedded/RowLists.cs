namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>The lists of similar rows that a large segment is divided into, each with a centre: the approximate mode looks into those whose centres are nearest to the query.</summary>
internal sealed unsafe class RowLists(int count, int probes, byte* codes, float* scales, int* starts)
{
    /// <summary>Results that <see cref="Probes"/> was measured with.</summary>
    public const int MeasuredK = 20;

    public int Count => count;

    /// <summary>Lists that hold enough of the best 20 rows, measured when the lists were made.</summary>
    public int Probes => probes;

    /// <summary>[count + 1]</summary>
    public int* Starts => starts;

    /// <summary>The lists to look into.</summary>
    /// <param name="passing">Share of the rows that pass the filter: where few do, the best of them are spread over more lists.</param>
    /// <returns>Null: so many that looking at all rows is no slower.</returns>
    public int[]? Choose(QueryCodes query, int k, double passing)
    {
        double wanted = Math.Ceiling(probes * Math.Max(1.0, (double)k / MeasuredK) / Math.Max(passing, 1e-9));
        return wanted * 2 > count ? null : Nearest(query, codes, scales, count)[..(int)wanted];
    }

    /// <summary>All lists, the nearest first.</summary>
    /// <param name="codes">[count rounded up to 4, stride]</param>
    public static int[] Nearest(QueryCodes query, byte* codes, float* scales, int count)
    {
        int* products = stackalloc int[64];
        var lists = new int[count];
        var distances = new float[count];
        fixed (sbyte* numbers = query.Numbers)
        {
            for (int first = 0; first < count; first += 64)
            {
                int some = Math.Min(64, count - first);
                CodeProducts.Best(codes + first * (nint)query.Numbers.Length, query.Numbers.Length, numbers, ulong.MaxValue >> (64 - some), products, 0);
                for (int n = 0; n < some; n++) (lists[first + n], distances[first + n]) = (first + n, -scales[first + n] * (products[n] - query.Offset));
            }
        }
        Array.Sort(distances, lists);
        return lists;
    }
}

/// <summary>Lists on their way into a segment.</summary>
/// <param name="Codes">Of the centres, [lists rounded up to 4, stride].</param>
/// <param name="Starts">[lists + 1]: where the rows of each begin.</param>
internal sealed record BuiltLists(byte[] Codes, float[] Scales, int[] Starts, int Probes);
