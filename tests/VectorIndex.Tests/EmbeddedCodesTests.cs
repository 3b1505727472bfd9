using System.Runtime.InteropServices;
using BeeFormer.Streaming.VectorIndex.Embedded;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>What the exactness of the search rests on: whole-number products that are equal on every path, and bounds that hold.</summary>
public sealed class EmbeddedCodesTests
{
    [Fact]
    public unsafe void Products_of_codes_are_exact_on_every_path()
    {
        var random = new Random(7);
        foreach (int stride in (int[])[64, 128, 384, 1024, 65536])
            foreach (var (name, kernel) in CodeProducts.Supported())
            {
                byte[] codes = GC.AllocateArray<byte>(64 * stride, pinned: true);
                sbyte[] query = GC.AllocateArray<sbyte>(stride, pinned: true);
                random.NextBytes(codes);
                for (int n = 0; n < stride; n++) query[n] = (sbyte)random.Next(-127, 128);
                codes.AsSpan(0, 4 * stride).Fill(255); // the largest sums
                if (stride > 1024) query.AsSpan().Fill(random.Next(2) == 0 ? (sbyte)127 : (sbyte)-127);
                var wanted = (ulong)random.NextInt64() | 1;
                int[] products = new int[64];
                fixed (int* to = products) kernel((byte*)Marshal.UnsafeAddrOfPinnedArrayElement(codes, 0), stride, (sbyte*)Marshal.UnsafeAddrOfPinnedArrayElement(query, 0), wanted, to, random.Next(2) * 8192);
                for (int row = 0; row < 64; row++)
                {
                    if ((wanted >> row & 1) == 0) continue;
                    long expected = 0;
                    for (int n = 0; n < stride; n++) expected += codes[row * stride + n] * query[n];
                    Assert.True(expected == products[row], $"{name}, stride {stride}, row {row}: {products[row]}, expected {expected}");
                }
            }
    }

    [Fact]
    public unsafe void Products_of_two_queries_are_those_of_each()
    {
        var random = new Random(8);
        foreach (int stride in (int[])[64, 128, 384, 1024, 65536])
            foreach (var (name, kernel) in CodeProducts.SupportedForTwo())
            {
                byte[] codes = GC.AllocateArray<byte>(64 * stride, pinned: true);
                sbyte[] queries = GC.AllocateArray<sbyte>(2 * stride, pinned: true);
                random.NextBytes(codes);
                for (int n = 0; n < queries.Length; n++) queries[n] = (sbyte)random.Next(-127, 128);
                codes.AsSpan(0, 4 * stride).Fill(255);
                if (stride > 1024) queries.AsSpan(stride).Fill(127);
                var wanted = (ulong)random.NextInt64() | 1;
                int[] products = new int[128], expected = new int[64];
                byte* from = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(codes, 0);
                sbyte* one = (sbyte*)Marshal.UnsafeAddrOfPinnedArrayElement(queries, 0);
                fixed (int* to = products) kernel(from, stride, one, one + stride, wanted, to, random.Next(2) * 8192);
                for (int query = 0; query < 2; query++)
                {
                    fixed (int* to = expected) CodeProducts.Supported().First().Kernel(from, stride, one + query * stride, wanted, to, 0);
                    for (int row = 0; row < 64; row++)
                        if ((wanted >> row & 1) != 0) Assert.True(expected[row] == products[64 * query + row], $"{name}, stride {stride}, query {query}, row {row}");
                }
            }
    }

    [Property(MaxTest = 300, Replay = "(5,11)")]
    public void The_error_of_codes_is_within_its_bound(int seed)
    {
        var random = new Random(seed);
        float[] vector = SearchVectors.Any(random, random.Next(1, 500)), query = SearchVectors.Any(random, vector.Length);
        var bytes = new byte[Codes.Stride(vector.Length)];
        var (scale, error) = Codes.Write(vector, bytes);
        double squares = 0, product = 0, estimate = 0, length = 0, queryError = 0;
        var codes = new QueryCodes(query);
        for (int d = 0; d < vector.Length; d++)
        {
            double back = (double)scale * (bytes[d] - 128), queryBack = (double)codes.Scale * codes.Numbers[d];
            squares += (vector[d] - back) * (vector[d] - back);
            queryError += (query[d] - queryBack) * (query[d] - queryBack);
            product += (double)vector[d] * query[d];
            estimate += back * queryBack;
            length += queryBack * queryBack;
        }
        Assert.True(Math.Sqrt(squares) <= error, $"{Math.Sqrt(squares)} is not within {error}");
        Assert.True(Math.Sqrt(queryError) <= codes.Error);
        Assert.True(Math.Sqrt(length) <= codes.Length);
        Assert.True(Math.Abs(product - estimate) <= codes.Length * error + codes.Error * 1.00001f + Codes.Slack);
        Assert.True(error < 0.01 * Math.Sqrt(vector.Length) + 1e-5, $"a bound of {error} would leave nothing to the first pass");
    }
}

/// <summary>Vectors of length 1 that searches find hard.</summary>
internal static class SearchVectors
{
    public static float[] Any(Random random, int dimension)
    {
        var vector = new float[dimension];
        int kind = random.Next(4);
        for (int d = 0; d < dimension; d++) vector[d] = (float)(kind == 0 ? random.NextDouble() - 0.5 : random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5);
        if (kind == 2) vector[random.Next(dimension)] = 40; // an outlier takes the scale
        if (kind == 3) // almost nothing elsewhere
            for (int d = 0; d < dimension; d++) vector[d] = d == 0 ? 1 : vector[d] * 1e-6f;
        return UnitVector.Of("a test's vector", vector.All(number => number == 0) ? [.. vector.Select(_ => 1f)] : vector, dimension);
    }

    public static float[] Near(Random random, float[] vector, double distance) =>
        UnitVector.Of("a test's vector", Array.ConvertAll(vector, number => (float)(number + distance * (random.NextDouble() - 0.5))), vector.Length);
}
