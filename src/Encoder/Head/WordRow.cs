using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// The row of B that a word, or a pair of words, starts with: D independent values of mean 0 and variance 1/D, so that rows of different words are nearly orthogonal and t·B keeps the similarities of TF-IDF.
/// It depends on the seed and on the word's UTF-8 alone, and is computed in integers: the same on every machine and for every vocabulary.
/// </summary>
internal static class WordRow
{
    // A value is a sum of four uniform 16-bit numbers: close to a normal distribution, of mean 2 · 65535 and variance (65536² − 1) / 3.
    private const float Mean = 2 * 65535f;
    private static readonly float Deviation = MathF.Sqrt((65536f * 65536f - 1) / 3);

    public static void Fill(ReadOnlySpan<char> word, int seed, Span<float> row)
    {
        ulong state = Hash(word, seed);
        float scale = 1 / (Deviation * MathF.Sqrt(row.Length));
        for (int i = 0; i < row.Length; i++)
        {
            ulong bits = Next(ref state);
            uint sum = (uint)(bits & 0xFFFF) + (uint)(bits >> 16 & 0xFFFF) + (uint)(bits >> 32 & 0xFFFF) + (uint)(bits >> 48);
            row[i] = (sum - Mean) * scale;
        }
    }

    private static ulong Hash(ReadOnlySpan<char> word, int seed)
    {
        Span<byte> bytes = stackalloc byte[4 + 3 * Words.LongestPair];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, seed);
        int length = 4 + Encoding.UTF8.GetBytes(word, bytes[4..]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..length], digest);
        return BinaryPrimitives.ReadUInt64LittleEndian(digest);
    }

    // SplitMix64 (Steele, Lea, Flood 2014).
    private static ulong Next(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }
}
