using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// Divides rows into about √rows lists by k-means over their codes, and measures how many lists a search must look into. A sample teaches the centres; the products of codes, 64 rows at a time, do all the work.
/// </summary>
internal static unsafe class RowClustering
{
    private const int SamplesPerList = 40, Rounds = 8, Trials = 96;

    /// <summary>Of the best rows, so many are in the lists looked into; the promise of 0.99 has room for queries unlike the trials.</summary>
    private const double MeasuredRecall = 0.996;

    /// <returns>The rows, list by list, and the lists.</returns>
    public static (RowPlace[] Rows, BuiltLists Lists) Divide(IReadOnlyList<RowPlace> rows, int dimension, CancellationToken cancellationToken)
    {
        var random = new Random(rows.Count);
        int count = Math.Max(1, (int)Math.Sqrt(rows.Count));
        RowPlace[] sample = random.GetItems(rows.ToArray(), Math.Min(rows.Count, count * SamplesPerList));
        float[][] centres = [.. sample.Take(count).Select(place => place.Part.Vector(place.Row).ToArray())];
        for (int round = 0; round < Rounds; round++)
        {
            var assigned = Assign(sample, centres, dimension, cancellationToken);
            var sums = new double[count][];
            for (int n = 0; n < sample.Length; n++)
            {
                var sum = sums[assigned[n]] ??= new double[dimension];
                var vector = sample[n].Part.Vector(sample[n].Row);
                for (int d = 0; d < dimension; d++) sum[d] += vector[d];
            }
            for (int list = 0; list < count; list++)
                centres[list] = sums[list] is { } sum ? Unit(sum) ?? centres[list] : AnyVector(sample, random); // an empty list begins anew
        }

        var lists = Assign(rows, centres, dimension, cancellationToken);
        var starts = new int[count + 1];
        foreach (int list in lists) starts[list + 1]++;
        for (int list = 0; list < count; list++) starts[list + 1] += starts[list];
        var ordered = new RowPlace[rows.Count];
        int[] next = [.. starts];
        for (int n = 0; n < rows.Count; n++) ordered[next[lists[n]]++] = rows[n];

        int stride = Codes.Stride(dimension);
        var codes = GC.AllocateArray<byte>((count + 3) / 4 * 4 * stride, pinned: true);
        var scales = GC.AllocateArray<float>(count, pinned: true);
        for (int list = 0; list < count; list++) scales[list] = Codes.Write(centres[list], codes.AsSpan(list * stride, stride)).Scale;
        int probes = MeasureProbes(ordered, starts, codes, scales, dimension, random, cancellationToken);
        return (ordered, new BuiltLists(codes, scales, starts, probes));
    }

    /// <returns>For each row the list with the nearest centre.</returns>
    private static int[] Assign(IReadOnlyList<RowPlace> rows, float[][] centres, int dimension, CancellationToken cancellationToken)
    {
        var nearest = new int[rows.Count];
        QueryCodes[] codes = [.. centres.Select(centre => new QueryCodes(centre))];
        var best = new float[64];
        EachBlock(rows, codes, dimension, (first, list, products, scales) =>
        {
            int some = Math.Min(64, rows.Count - first);
            if (list == 0) best.AsSpan().Fill(float.NegativeInfinity);
            for (int n = 0; n < some; n++)
            {
                float product = codes[list].Scale * (products[n] - codes[list].Offset); // the row's scale is the same for all centres
                if (!(product > best[n])) continue;
                best[n] = product;
                nearest[first + n] = list;
            }
        }, cancellationToken);
        return nearest;
    }

    /// <summary>Half of the trials are items, half lie between two items, as the tastes of users do.</summary>
    private static int MeasureProbes(RowPlace[] rows, int[] starts, byte[] codes, float[] scales, int dimension, Random random, CancellationToken cancellationToken)
    {
        var queries = new QueryCodes[Trials];
        for (int n = 0; n < Trials; n++)
        {
            float[] one = AnyVector(rows, random), two = AnyVector(rows, random);
            queries[n] = new QueryCodes(n < Trials / 2 ? one : Unit(one.Zip(two, (a, b) => (double)a + b).ToArray()) ?? one);
        }
        var best = new PriorityQueue<int, float>[Trials];
        for (int n = 0; n < Trials; n++) best[n] = new();
        EachBlock(rows, queries, dimension, (first, query, products, rowScales) =>
        {
            int some = Math.Min(64, rows.Length - first);
            var nearest = best[query];
            for (int n = 0; n < some; n++)
            {
                float product = rowScales[n] * (products[n] - queries[query].Offset);
                if (nearest.Count < RowLists.MeasuredK) nearest.Enqueue(first + n, product);
                else if (nearest.TryPeek(out _, out float least) && product > least) nearest.EnqueueDequeue(first + n, product);
            }
        }, cancellationToken);

        var needed = new List<int>[2] { [], [] };
        fixed (byte* centres = codes)
        fixed (float* centreScales = scales)
        {
            for (int n = 0; n < Trials; n++)
            {
                var position = new int[scales.Length];
                int[] nearest = RowLists.Nearest(queries[n], centres, centreScales, scales.Length);
                for (int list = 0; list < nearest.Length; list++) position[nearest[list]] = list;
                foreach (var (row, _) in best[n].UnorderedItems)
                {
                    int list = Array.BinarySearch(starts, row);
                    list = list < 0 ? ~list - 1 : list;
                    while (starts[list + 1] == row) list++; // empty lists begin where the next one does
                    needed[n < Trials / 2 ? 0 : 1].Add(position[list] + 1);
                }
            }
        }
        return needed.Max(half =>
        {
            half.Sort();
            return half[Math.Min(half.Count - 1, (int)(half.Count * MeasuredRecall))];
        });
    }

    private delegate void OnProducts(int first, int query, int* products, float* scales);

    /// <summary>The products of all queries with all rows, 64 rows at a time.</summary>
    private static void EachBlock(IReadOnlyList<RowPlace> rows, QueryCodes[] queries, int dimension, OnProducts see, CancellationToken cancellationToken)
    {
        int stride = Codes.Stride(dimension);
        byte* block = (byte*)NativeMemory.AlignedAlloc(64 * (nuint)stride, 64);
        try
        {
            int* products = stackalloc int[2 * 64];
            float* scales = stackalloc float[64];
            for (int first = 0; first < rows.Count; first += 64)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int some = Math.Min(64, rows.Count - first);
                for (int n = 0; n < some; n++)
                {
                    var (part, row) = rows[first + n];
                    NativeMemory.Copy(part.CodeRows + (long)row * stride, block + n * (nint)stride, (nuint)stride);
                    scales[n] = part.Scales[row];
                }
                ulong wanted = ulong.MaxValue >> (64 - some);
                for (int query = 0; query < queries.Length; query += 2)
                {
                    if (query + 1 == queries.Length) CodeProducts.Best(block, stride, queries[query].Pointer, wanted, products, 0);
                    else CodeProducts.BestOfTwo(block, stride, queries[query].Pointer, queries[query + 1].Pointer, wanted, products, 0);
                    for (int other = query; other < Math.Min(query + 2, queries.Length); other++) see(first, other, products + 64 * (other - query), scales);
                }
            }
        }
        finally
        {
            NativeMemory.AlignedFree(block);
        }
    }

    private static float[] AnyVector(RowPlace[] rows, Random random)
    {
        var (part, row) = rows[random.Next(rows.Length)];
        return part.Vector(row).ToArray();
    }

    private static float[]? Unit(double[] vector)
    {
        double length = Math.Sqrt(vector.Sum(number => number * number));
        return length > 1e-6 ? Array.ConvertAll(vector, number => (float)(number / length)) : null;
    }
}
