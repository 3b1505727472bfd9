using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// Product of a few rows with a matrix, four rows and two vectors at a time in registers. Every number is summed in the order of the matrix's rows with one rounding each, as <see cref="RowArithmetic.AddScaled"/> does:
/// a row's result is bit for bit the same whatever rows it is computed with.
/// </summary>
internal static class RowProduct
{
    private const int RowsTogether = 4;

    /// <param name="factors">[rows, inner]</param>
    /// <param name="matrix">[inner, columns]</param>
    /// <param name="sums">[rows, columns], zeros.</param>
    public static void Fill(ReadOnlySpan<float> factors, int inner, ReadOnlySpan<float> matrix, Span<float> sums)
    {
        int rows = factors.Length / inner, columns = matrix.Length / inner, strip = 2 * Vector<float>.Count;
        int tiledRows = rows / RowsTogether * RowsTogether, tiledColumns = columns / strip * strip;
        for (int column = 0; column < tiledColumns; column += strip) // a strip of the matrix stays in the cache for all rows
            for (int row = 0; row < tiledRows; row += RowsTogether)
                FillTile(factors.Slice(row * inner, RowsTogether * inner), inner, matrix[column..], columns, sums[(row * columns + column)..]);
        for (int row = 0; row < rows; row++)
        {
            int begin = row < tiledRows ? tiledColumns : 0;
            if (begin == columns) continue;
            var sum = sums[(row * columns + begin)..((row + 1) * columns)];
            for (int i = 0; i < inner; i++) RowArithmetic.AddScaled(matrix[(i * columns + begin)..((i + 1) * columns)], factors[row * inner + i], sum);
        }
    }

    private static void FillTile(ReadOnlySpan<float> factors, int inner, ReadOnlySpan<float> matrix, int columns, Span<float> sums)
    {
        int width = Vector<float>.Count;
        ref float factor = ref MemoryMarshal.GetReference(factors);
        ref float left = ref MemoryMarshal.GetReference(matrix);
        Vector<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        for (int i = 0; i < inner; i++)
        {
            var m0 = Vector.LoadUnsafe(ref left, (nuint)(i * columns));
            var m1 = Vector.LoadUnsafe(ref left, (nuint)(i * columns + width));
            var weight = new Vector<float>(Unsafe.Add(ref factor, i));
            a0 = Vector.FusedMultiplyAdd(m0, weight, a0);
            a1 = Vector.FusedMultiplyAdd(m1, weight, a1);
            weight = new Vector<float>(Unsafe.Add(ref factor, inner + i));
            b0 = Vector.FusedMultiplyAdd(m0, weight, b0);
            b1 = Vector.FusedMultiplyAdd(m1, weight, b1);
            weight = new Vector<float>(Unsafe.Add(ref factor, 2 * inner + i));
            c0 = Vector.FusedMultiplyAdd(m0, weight, c0);
            c1 = Vector.FusedMultiplyAdd(m1, weight, c1);
            weight = new Vector<float>(Unsafe.Add(ref factor, 3 * inner + i));
            d0 = Vector.FusedMultiplyAdd(m0, weight, d0);
            d1 = Vector.FusedMultiplyAdd(m1, weight, d1);
        }
        a0.CopyTo(sums);
        a1.CopyTo(sums[width..]);
        b0.CopyTo(sums[columns..]);
        b1.CopyTo(sums[(columns + width)..]);
        c0.CopyTo(sums[(2 * columns)..]);
        c1.CopyTo(sums[(2 * columns + width)..]);
        d0.CopyTo(sums[(3 * columns)..]);
        d1.CopyTo(sums[(3 * columns + width)..]);
    }
}
