using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api;

/// <summary>How new an item is: 1 when it comes, halved with its age. Only the shop knows when that was: what was described or bought first may have been there for years, and the log forgets.</summary>
public static class Recency
{
    /// <param name="attribute">The attribute that holds when the item came; of several times in it the newest counts.</param>
    /// <returns>0 to 1; 0 for an item without a time in the attribute.</returns>
    public static double Of(IndexedItem item, string attribute, TimeSpan halfLife, long nowMs)
    {
        DateTimeOffset? newest = AttributeValue.Of(item, attribute).Max(value => value.Time);
        return newest is { } came ? Of(nowMs - came.ToUnixTimeMilliseconds(), halfLife) : 0;
    }

    /// <param name="ageMs">Below 0, of an item that is still to come: as new as can be.</param>
    public static double Of(long ageMs, TimeSpan halfLife) => Math.Pow(2, -Math.Max(0, ageMs) / halfLife.TotalMilliseconds);
}
