using System.Diagnostics.Metrics;

namespace BeeFormer.Streaming.Encoder;

/// <summary>Whether what is encoded was encoded before: meter <c>BeeFormer.Streaming.Encoder</c>.</summary>
internal static class CacheMetrics
{
    public const string MeterName = "BeeFormer.Streaming.Encoder";

    private static readonly Meter s_meter = new(MeterName);
    private static readonly Counter<long> s_texts = s_meter.CreateCounter<long>("encoder.cache.texts", "{text}", "Texts asked of the cache of encoder outputs, by result (hit: it was there; miss: it was encoded)");

    public static void Asked(long hits, long misses)
    {
        if (hits > 0) s_texts.Add(hits, new KeyValuePair<string, object?>("result", "hit"));
        if (misses > 0) s_texts.Add(misses, new KeyValuePair<string, object?>("result", "miss"));
    }
}
