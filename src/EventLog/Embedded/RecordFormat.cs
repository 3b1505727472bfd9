using System.Buffers.Binary;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>A record inside the log: <c>crc u32 · offset i64 · timestamp i64 · key length i32 · value length i32 (-1: tombstone) · key · value</c>, little-endian; the crc covers what follows it.</summary>
internal static class RecordFormat
{
    public const int HeaderBytes = 28;

    public static int Size(LogRecord record) => HeaderBytes + record.Key.Length + (record.Value?.Length ?? 0);

    public static void Write(Span<byte> target, LogRecord record, long offset, long timestampMs)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target[4..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(target[12..], timestampMs);
        BinaryPrimitives.WriteInt32LittleEndian(target[20..], record.Key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(target[24..], record.Value?.Length ?? -1);
        record.Key.CopyTo(target[HeaderBytes..]);
        record.Value?.CopyTo(target[(HeaderBytes + record.Key.Length)..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target, Crc32C.Of(target[4..]));
    }

    /// <summary>The record's offset, or null when the bytes are no whole, undamaged record.</summary>
    public static long? TryReadOffset(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Crc32C.Of(bytes[4..])) return null;
        long keyBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        long valueBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]);
        if (keyBytes < 0 || valueBytes < -1 || HeaderBytes + keyBytes + Math.Max(0, valueBytes) != bytes.Length) return null;
        return BinaryPrimitives.ReadInt64LittleEndian(bytes[4..]);
    }

    /// <summary>The message; null when the bytes are no whole, undamaged record.</summary>
    public static LogMessage? TryRead(ReadOnlySpan<byte> bytes, int partition)
    {
        if (TryReadOffset(bytes) is not { } offset) return null;
        int keyBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        bool tombstone = BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]) < 0;
        var key = bytes.Slice(HeaderBytes, keyBytes).ToArray();
        return new LogMessage(partition, offset, BinaryPrimitives.ReadInt64LittleEndian(bytes[12..]), key, tombstone ? null : bytes[(HeaderBytes + keyBytes)..].ToArray());
    }
}
