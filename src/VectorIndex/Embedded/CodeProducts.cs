using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// Products of a query with 64 rows of codes, in whole numbers: exact (below 2³¹ up to dimension 65536), hence the same on every processor.
/// </summary>
internal static unsafe class CodeProducts
{
    /// <param name="codes">[64, stride]; rows that are not wanted need not be there, but for those of a four with one that is.</param>
    /// <param name="ahead">So many bytes ahead memory is asked for, since processors do not look beyond a page by themselves; 0: nowhere.</param>
    public delegate void Kernel(byte* codes, int stride, sbyte* query, ulong wanted, int* products, int ahead);

    /// <summary>The fastest that this processor has.</summary>
    public static readonly delegate*<byte*, int, sbyte*, ulong, int*, int, void> Best = AvxVnni.IsSupported ? &WithVnni : Avx2.IsSupported ? &WithAvx2 : &Portable;

    /// <param name="products">[2, 64]: those of the one, then those of the other.</param>
    public delegate void PairKernel(byte* codes, int stride, sbyte* one, sbyte* other, ulong wanted, int* products, int ahead);

    /// <summary>The fastest for two queries at once: codes are loaded, and where that is needed widened, once for both, and twice as many sums are in flight.</summary>
    public static readonly delegate*<byte*, int, sbyte*, sbyte*, ulong, int*, int, void> BestOfTwo = AvxVnni.IsSupported ? &TwoWithVnni : Avx2.IsSupported ? &TwoWithAvx2 : &TwoPortable;

    /// <summary>All that this processor has.</summary>
    public static IEnumerable<(string Name, Kernel Kernel)> Supported()
    {
        yield return (nameof(Portable), Kernels.Portable);
        if (Avx2.IsSupported) yield return (nameof(Avx2), Kernels.Avx2);
        if (AvxVnni.IsSupported) yield return (nameof(AvxVnni), Kernels.Vnni);
    }

    /// <summary>All for two queries that this processor has.</summary>
    public static IEnumerable<(string Name, PairKernel Kernel)> SupportedForTwo()
    {
        yield return (nameof(Portable), PairKernels.Portable);
        if (Avx2.IsSupported) yield return (nameof(Avx2), PairKernels.Avx2);
        if (AvxVnni.IsSupported) yield return (nameof(AvxVnni), PairKernels.Vnni);
    }

    private static class PairKernels
    {
        public static readonly PairKernel Portable = TwoPortable, Avx2 = TwoWithAvx2, Vnni = TwoWithVnni;
    }

    private static class Kernels
    {
        public static readonly Kernel Portable = CodeProducts.Portable, Avx2 = WithAvx2, Vnni = WithVnni;
    }

    /// <summary>Four rows at a time: each part of the query is loaded once for all four, and four sums in flight hide the latency of the additions. Fours without a wanted row are left out, and so are their products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WithVnni(byte* codes, int stride, sbyte* query, ulong wanted, int* products, int ahead)
    {
        for (; wanted != 0; wanted >>= 4, codes += 4 * (nint)stride, products += 4)
        {
            if ((wanted & 15) == 0) continue;
            Vector256<int> a = default, b = default, c = default, d = default;
            for (int n = 0; n < stride; n += 32)
            {
                var q = Vector256.Load(query + n);
                byte* row = codes + n;
                if (ahead != 0)
                {
                    Sse.Prefetch0(codes + ahead + 4 * n);
                    Sse.Prefetch0(codes + ahead + 4 * n + 64);
                }
                a = AvxVnni.MultiplyWideningAndAdd(a, Vector256.Load(row), q);
                b = AvxVnni.MultiplyWideningAndAdd(b, Vector256.Load(row + stride), q);
                c = AvxVnni.MultiplyWideningAndAdd(c, Vector256.Load(row + 2 * (nint)stride), q);
                d = AvxVnni.MultiplyWideningAndAdd(d, Vector256.Load(row + 3 * (nint)stride), q);
            }
            Sums(a, b, c, d).Store(products);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WithAvx2(byte* codes, int stride, sbyte* query, ulong wanted, int* products, int ahead)
    {
        for (; wanted != 0; wanted >>= 4, codes += 4 * (nint)stride, products += 4)
        {
            if ((wanted & 15) == 0) continue;
            Vector256<int> a = default, b = default, c = default, d = default;
            for (int n = 0; n < stride; n += 16)
            {
                var q = Avx2.ConvertToVector256Int16(query + n);
                byte* row = codes + n;
                a += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(row), q);
                b += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(row + stride), q);
                c += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(row + 2 * (nint)stride), q);
                d += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(row + 3 * (nint)stride), q);
            }
            Sums(a, b, c, d).Store(products);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoWithVnni(byte* codes, int stride, sbyte* one, sbyte* other, ulong wanted, int* products, int ahead)
    {
        for (; wanted != 0; wanted >>= 4, codes += 4 * (nint)stride, products += 4)
        {
            if ((wanted & 15) == 0) continue;
            Vector256<int> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
            for (int n = 0; n < stride; n += 32)
            {
                var (q, r) = (Vector256.Load(one + n), Vector256.Load(other + n));
                byte* row = codes + n;
                if (ahead != 0)
                {
                    Sse.Prefetch0(codes + ahead + 4 * n);
                    Sse.Prefetch0(codes + ahead + 4 * n + 64);
                }
                var numbers = Vector256.Load(row);
                (a, e) = (AvxVnni.MultiplyWideningAndAdd(a, numbers, q), AvxVnni.MultiplyWideningAndAdd(e, numbers, r));
                numbers = Vector256.Load(row + stride);
                (b, f) = (AvxVnni.MultiplyWideningAndAdd(b, numbers, q), AvxVnni.MultiplyWideningAndAdd(f, numbers, r));
                numbers = Vector256.Load(row + 2 * (nint)stride);
                (c, g) = (AvxVnni.MultiplyWideningAndAdd(c, numbers, q), AvxVnni.MultiplyWideningAndAdd(g, numbers, r));
                numbers = Vector256.Load(row + 3 * (nint)stride);
                (d, h) = (AvxVnni.MultiplyWideningAndAdd(d, numbers, q), AvxVnni.MultiplyWideningAndAdd(h, numbers, r));
            }
            Sums(a, b, c, d).Store(products);
            Sums(e, f, g, h).Store(products + 64);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoWithAvx2(byte* codes, int stride, sbyte* one, sbyte* other, ulong wanted, int* products, int ahead)
    {
        for (; wanted != 0; wanted >>= 4, codes += 4 * (nint)stride, products += 4)
        {
            if ((wanted & 15) == 0) continue;
            Vector256<int> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
            for (int n = 0; n < stride; n += 16)
            {
                var (q, r) = (Avx2.ConvertToVector256Int16(one + n), Avx2.ConvertToVector256Int16(other + n));
                byte* row = codes + n;
                var numbers = Avx2.ConvertToVector256Int16(row);
                (a, e) = (a + Avx2.MultiplyAddAdjacent(numbers, q), e + Avx2.MultiplyAddAdjacent(numbers, r));
                numbers = Avx2.ConvertToVector256Int16(row + stride);
                (b, f) = (b + Avx2.MultiplyAddAdjacent(numbers, q), f + Avx2.MultiplyAddAdjacent(numbers, r));
                numbers = Avx2.ConvertToVector256Int16(row + 2 * (nint)stride);
                (c, g) = (c + Avx2.MultiplyAddAdjacent(numbers, q), g + Avx2.MultiplyAddAdjacent(numbers, r));
                numbers = Avx2.ConvertToVector256Int16(row + 3 * (nint)stride);
                (d, h) = (d + Avx2.MultiplyAddAdjacent(numbers, q), h + Avx2.MultiplyAddAdjacent(numbers, r));
            }
            Sums(a, b, c, d).Store(products);
            Sums(e, f, g, h).Store(products + 64);
        }
    }

    private static void TwoPortable(byte* codes, int stride, sbyte* one, sbyte* other, ulong wanted, int* products, int ahead)
    {
        Portable(codes, stride, one, wanted, products, ahead);
        Portable(codes, stride, other, wanted, products + 64, ahead);
    }

    private static Vector128<int> Sums(Vector256<int> a, Vector256<int> b, Vector256<int> c, Vector256<int> d)
    {
        var sums = Avx2.HorizontalAdd(Avx2.HorizontalAdd(a, b), Avx2.HorizontalAdd(c, d));
        return sums.GetLower() + sums.GetUpper();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Portable(byte* codes, int stride, sbyte* query, ulong wanted, int* products, int ahead)
    {
        for (; wanted != 0; wanted >>= 4, codes += 4 * (nint)stride, products += 4)
        {
            if ((wanted & 15) == 0) continue;
            for (int row = 0; row < 4; row++)
            {
                byte* numbers = codes + row * (nint)stride;
                Vector128<int> sum = default;
                for (int n = 0; n < stride; n += 16)
                {
                    var (codesLow, codesHigh) = Vector128.Widen(Vector128.Load(numbers + n));
                    var (queryLow, queryHigh) = Vector128.Widen(Vector128.Load(query + n));
                    var (one, two) = Vector128.Widen(codesLow.AsInt16() * queryLow); // 255 · 127 fits 16 bits
                    var (three, four) = Vector128.Widen(codesHigh.AsInt16() * queryHigh);
                    sum += one + two + (three + four);
                }
                products[row] = Vector128.Sum(sum);
            }
        }
    }
}
