using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// The score that decides: the product of two float vectors in double. A product of two floats is exact in a double and the order of the additions is fixed, so every processor gets the same bits,
/// and equal vectors equal scores.
/// </summary>
internal static class ExactProduct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Of(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Vector512<double> low = default, high = default;
        int d = 0;
        for (; d <= a.Length - Vector512<float>.Count; d += Vector512<float>.Count)
        {
            var (aLow, aHigh) = Vector512.Widen(Vector512.Create(a[d..]));
            var (bLow, bHigh) = Vector512.Widen(Vector512.Create(b[d..]));
            low += aLow * bLow;
            high += aHigh * bHigh;
        }
        low += high;
        double sum = 0;
        for (int lane = 0; lane < Vector512<double>.Count; lane++) sum += low[lane];
        for (; d < a.Length; d++) sum += (double)a[d] * b[d];
        return sum;
    }
}
