using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// Vectors as 8-bit numbers: x ≈ scale · (code − 128), with the largest number at ±127. Rows are padded to a multiple of <see cref="Lanes"/>; what the padding holds does not matter, since a query's is 0.
/// The proof that a search loses nothing by them is in docs/decisions/0018.
/// </summary>
internal static class Codes
{
    public const int Lanes = 64;

    /// <summary>More than all that rounding of floats can add to an estimate or a bound (both are below 2).</summary>
    public const float Slack = 2e-6f;

    public static int Stride(int dimension) => (dimension + Lanes - 1) / Lanes * Lanes;

    /// <param name="vector">[dimension], length 1.</param>
    /// <param name="codes">[stride]</param>
    /// <returns>The scale, and a bound on the length of vector − scale · (codes − 128).</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (float Scale, float Error) Write(ReadOnlySpan<float> vector, Span<byte> codes)
    {
        float largest = 0;
        int d = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<float> most = default;
            for (; d <= vector.Length - 16; d += 16) most = Vector512.Max(most, Vector512.Abs(Vector512.Create(vector[d..])));
            for (int lane = 0; lane < 16; lane++) largest = MathF.Max(largest, most[lane]);
        }
        for (; d < vector.Length; d++) largest = MathF.Max(largest, MathF.Abs(vector[d]));
        float scale = largest / 127, inverse = 127 / largest;
        float squares = 0;
        d = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<float> sums = default;
            for (; d <= vector.Length - 64; d += 64)
                Vector512.Narrow(Vector512.Narrow(Sixteen(vector[d..], ref sums), Sixteen(vector[(d + 16)..], ref sums)), Vector512.Narrow(Sixteen(vector[(d + 32)..], ref sums), Sixteen(vector[(d + 48)..], ref sums))).CopyTo(codes[d..]);
            squares = Vector512.Sum(sums);
        }
        for (; d < vector.Length; d++)
        {
            float rounded = MathF.Round(vector[d] * inverse), rest = vector[d] - scale * rounded;
            codes[d] = (byte)((int)rounded + 128);
            squares += rest * rest;
        }
        // The sum of n floats errs by less than n · 2⁻²⁴ of itself, here below 0.4 % (n ≤ 65536) and the root by half of that; what each difference errs by is below Slack.
        return (scale, MathF.Sqrt(squares) * 1.002f + Slack);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector512<uint> Sixteen(ReadOnlySpan<float> numbers, ref Vector512<float> sums)
        {
            var vector = Vector512.Create(numbers);
            var rounded = Vector512.Round(vector * inverse);
            var rest = vector - rounded * scale;
            sums += rest * rest;
            return (Vector512.ConvertToInt32(rounded) + Vector512.Create(128)).AsUInt32();
        }
    }
}

/// <summary>A query in 8-bit numbers: q ≈ Scale · Numbers.</summary>
internal sealed class QueryCodes
{
    /// <param name="query">[dimension], length 1.</param>
    public QueryCodes(ReadOnlySpan<float> query)
    {
        int stride = Codes.Stride(query.Length);
        var codes = new byte[stride];
        (Scale, Error) = Codes.Write(query, codes);
        Numbers = GC.AllocateArray<sbyte>(stride, pinned: true);
        long squares = 0;
        for (int d = 0; d < query.Length; d++)
        {
            Numbers[d] = (sbyte)(codes[d] - 128);
            squares += Numbers[d] * Numbers[d];
            Offset += 128 * Numbers[d];
        }
        Length = (float)(Scale * Math.Sqrt(squares)) * 1.00001f;
    }

    /// <summary>[stride], padded with 0; where <see cref="Pointer"/> points to.</summary>
    public sbyte[] Numbers { get; }
    public unsafe sbyte* Pointer => (sbyte*)Marshal.UnsafeAddrOfPinnedArrayElement(Numbers, 0);
    public float Scale { get; }

    /// <summary>Bound on the length of query − Scale · Numbers.</summary>
    public float Error { get; }

    /// <summary>Bound on the length of Scale · Numbers.</summary>
    public float Length { get; }

    /// <summary>What the products of <see cref="CodeProducts"/> are too large by: codes are 128 above the numbers that they stand for.</summary>
    public int Offset { get; }
}
