using System.Buffers.Binary;
using System.Numerics;

namespace BeeFormer.Streaming;

/// <summary>CRC-32C (Castagnoli): guards records against torn writes and spreads keys over partitions. Part of the formats on disk.</summary>
internal static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> bytes) => Continue(0, bytes);

    /// <param name="crc">Of all bytes before these; 0 when there are none.</param>
    public static uint Continue(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte b in bytes) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
