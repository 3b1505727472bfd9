using System.Diagnostics;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Reindexing;

/// <summary>Opening a cache of many outputs.</summary>
internal static class CacheOpening
{
    private const int Dimension = 384;

    public static void Run(int records)
    {
        string folder = Directory.CreateTempSubdirectory("cache-opening-").FullName;
        var encoder = new Fingerprint(new string('a', 64));
        var output = new float[Dimension];
        try
        {
            using (var cache = new EncoderOutputCache(folder))
                foreach (int[] part in Enumerable.Range(0, records).Chunk(4096)) Look(cache, [.. part.Select(n => $"text {n}")]);
            long before = GC.GetTotalMemory(forceFullCollection: true);
            using var again = new EncoderOutputCache(folder);
            var clock = Stopwatch.StartNew();
            Look(again, ["text 0"]);
            Console.WriteLine($"cache of {records} outputs opened in {clock.Elapsed.TotalSeconds:F2} s, {(GC.GetTotalMemory(forceFullCollection: true) - before) / (double)records:F0} bytes of memory each");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        void Look(EncoderOutputCache cache, string[] texts) =>
            cache.GetOrCompute(encoder, Dimension, texts, missing => EmbeddingMatrix.Zeros(missing.Count, Dimension), null, CancellationToken.None);
    }
}
