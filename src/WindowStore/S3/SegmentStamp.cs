using System.Buffers.Binary;

namespace BeeFormer.Streaming.WindowStore.S3;

/// <summary>
/// Makes the bytes of every upload its own, and so its ETag: two segments without rows are the same file otherwise, and a condition on the ETag could not tell one from the other.
/// A Parquet file is read from its end, where the footer's length stands, and everything before is addressed from the start: bytes between data and footer are not looked at.
/// </summary>
internal static class SegmentStamp
{
    /// <summary>Length of the footer, then <c>PAR1</c>.</summary>
    private const int TailBytes = 8;

    public static byte[] Stamped(byte[] parquet, Guid stamp)
    {
        int footer = BinaryPrimitives.ReadInt32LittleEndian(parquet.AsSpan(parquet.Length - TailBytes)) + TailBytes;
        return [.. parquet.AsSpan(0, parquet.Length - footer), .. stamp.ToByteArray(), .. parquet.AsSpan(parquet.Length - footer)];
    }
}
