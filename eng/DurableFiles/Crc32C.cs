using System.Buffers.Binary;
using System.Numerics;

namespace BeeFormer.Streaming;

/// <summary>CRC-32C (Castagnoli): guards records against torn writes and spreads keys over partitions. Part of the formats on disk.</summary>
internal static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte b in bytes) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
