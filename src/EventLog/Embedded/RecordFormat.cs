using System.Buffers.Binary;
using System.Text;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>
/// A record inside the log: <c>crc u32 · offset i64 · timestamp i64 · key length i32 · value length i32 (-1: tombstone, -2: erased) · key · value</c>, little-endian; the crc covers what follows it.
/// Where there are headers they come last, each as <c>name length u16 · value length i32 · name · value</c>.
/// An erased record keeps offset and time; all else is zeros, and its offset is a gap to readers.
/// </summary>
internal static class RecordFormat
{
    public const int HeaderBytes = 28;
    private const int LogHeaderBytes = 6;
    private const int ErasedValue = -2;

    public static int Size(LogRecord record)
    {
        int size = HeaderBytes + record.Key.Length + (record.Value?.Length ?? 0);
        foreach (var header in record.Headers ?? []) size += LogHeaderBytes + Encoding.UTF8.GetByteCount(header.Name) + header.Value.Length;
        return size;
    }

    public static void Write(Span<byte> target, LogRecord record, long offset, long timestampMs)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target[4..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(target[12..], timestampMs);
        BinaryPrimitives.WriteInt32LittleEndian(target[20..], record.Key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(target[24..], record.Value?.Length ?? -1);
        record.Key.CopyTo(target[HeaderBytes..]);
        record.Value?.CopyTo(target[(HeaderBytes + record.Key.Length)..]);
        var rest = target[(HeaderBytes + record.Key.Length + (record.Value?.Length ?? 0))..];
        foreach (var header in record.Headers ?? [])
        {
            int name = Encoding.UTF8.GetBytes(header.Name, rest[LogHeaderBytes..]);
            BinaryPrimitives.WriteUInt16LittleEndian(rest, checked((ushort)name));
            BinaryPrimitives.WriteInt32LittleEndian(rest[2..], header.Value.Length);
            header.Value.Span.CopyTo(rest[(LogHeaderBytes + name)..]);
            rest = rest[(LogHeaderBytes + name + header.Value.Length)..];
        }
        BinaryPrimitives.WriteUInt32LittleEndian(target, Crc32C.Of(target[4..]));
    }

    /// <summary>An erased record that takes all of <paramref name="target"/>.</summary>
    public static void WriteErased(Span<byte> target, long offset, long timestampMs)
    {
        target.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(target[4..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(target[12..], timestampMs);
        BinaryPrimitives.WriteInt32LittleEndian(target[24..], ErasedValue);
        BinaryPrimitives.WriteUInt32LittleEndian(target, Crc32C.Of(target[4..]));
    }

    /// <summary>Of a record that is whole or not: the offset that its bytes name.</summary>
    public static long ReadOffset(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes[4..]);

    /// <summary>Whether the bytes are a whole, undamaged record that was erased.</summary>
    public static bool IsErased(ReadOnlySpan<byte> bytes) => TryReadOffset(bytes) is not null && BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]) == ErasedValue;

    /// <summary>The record's offset, or null when the bytes are no whole, undamaged record.</summary>
    public static long? TryReadOffset(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Crc32C.Of(bytes[4..])) return null;
        long keyBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        long valueBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]);
        if (keyBytes < 0 || valueBytes < ErasedValue || HeaderBytes + keyBytes + Math.Max(0, valueBytes) > bytes.Length) return null;
        return ReadOffset(bytes);
    }

    /// <summary>Of a whole record: when the log took it, UTC milliseconds.</summary>
    public static long ReadTimestamp(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes[12..]);

    /// <summary>The message, its bytes copied into <paramref name="memory"/>; null when the bytes are no whole, undamaged record, or an erased one.</summary>
    public static LogMessage? TryRead(ReadOnlySpan<byte> bytes, int partition, MessageMemory memory)
    {
        if (TryReadOffset(bytes) is not { } offset || IsErased(bytes)) return null;
        int keyBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        int valueBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]);
        int end = HeaderBytes + keyBytes + Math.Max(0, valueBytes);
        if (!TryReadHeaders(bytes[end..], memory, out var headers)) return null;
        var body = memory.Copy(bytes[HeaderBytes..end]);
        return new LogMessage(partition, offset, ReadTimestamp(bytes), body[..keyBytes], valueBytes < 0 ? (ReadOnlyMemory<byte>?)null : body[keyBytes..], headers);
    }

    private static bool TryReadHeaders(ReadOnlySpan<byte> bytes, MessageMemory memory, out List<LogHeader>? headers)
    {
        headers = null;
        while (!bytes.IsEmpty)
        {
            if (bytes.Length < LogHeaderBytes) return false;
            int name = BinaryPrimitives.ReadUInt16LittleEndian(bytes), value = BinaryPrimitives.ReadInt32LittleEndian(bytes[2..]);
            if (value < 0 || (long)LogHeaderBytes + name + value > bytes.Length) return false;
            (headers ??= []).Add(new LogHeader(Encoding.UTF8.GetString(bytes.Slice(LogHeaderBytes, name)), memory.Copy(bytes.Slice(LogHeaderBytes + name, value))));
            bytes = bytes[(LogHeaderBytes + name + value)..];
        }
        return true;
    }
}
