using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.InMemory;

/// <summary>Turns words into directions: a text is the sum of its words' random vectors, which differ from model to model.</summary>
internal static class FakeModel
{
    public const int Dimension = 32;

    public static float[] Embed(Fingerprint fingerprint, string text)
    {
        var sum = new float[Dimension];
        foreach (string word in text.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var random = new Random(Seed(fingerprint.Short + word));
            for (int n = 0; n < Dimension; n++) sum[n] += (float)(random.NextDouble() * 2 - 1);
        }
        float length = MathF.Sqrt(sum.Sum(value => value * value));
        return [.. sum.Select(value => value / length)];
    }

    private static int Seed(string text)
    {
        // FNV-1a: the same on every run, unlike string.GetHashCode.
        uint hash = 2166136261;
        foreach (byte value in Encoding.UTF8.GetBytes(text)) hash = (hash ^ value) * 16777619;
        return (int)hash;
    }
}
