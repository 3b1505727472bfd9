using System.Numerics;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>Sizes that addresses on disk depend on; fixed when a topic is created.</summary>
/// <param name="PageBits">A record never crosses a page, so a page holds the longest record and its header.</param>
/// <param name="SegmentBits">Bytes of one file; files grow as they are written.</param>
internal sealed record LogGeometry(int PageBits, int SegmentBits)
{
    public static LogGeometry For(int maxRecordBytes)
    {
        int pageBits = Math.Max(16, BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)(maxRecordBytes + 64))));
        return new LogGeometry(pageBits, Math.Max(26, pageBits + 2));
    }

    public int LargestRecord => (1 << PageBits) - 64;
}
