using System.Buffers.Binary;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// An append-only file of frames: length, CRC-32C of the length, CRC-32C of the content (4 bytes each, little endian), content. A frame is flushed before the next one is written, so a crash
/// can only hurt the last: opening drops a torn tail, but refuses a file in which a good frame follows a bad one.
/// </summary>
internal sealed class FrameLog : IDisposable
{
    private const int HeaderBytes = 12;
    private readonly FileStream file;

    private FrameLog(FileStream file) => this.file = file;

    public long Length => file.Length;

    /// <exception cref="InvalidDataException">The file is damaged before its end.</exception>
    public static FrameLog Open(string path, Action<byte[]> replay)
    {
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 0);
        try
        {
            long good = 0;
            while (ReadFrame(file, good) is { } frame)
            {
                try
                {
                    replay(frame);
                }
                catch (Exception damage) when (damage is FormatException or EndOfStreamException or System.Text.Json.JsonException)
                {
                    throw new InvalidDataException($"{path} is damaged at byte {good}: {damage.Message}; expected the entries that the index wrote.", damage);
                }
                good += HeaderBytes + frame.Length;
            }
            if (FindFrame(file, good + 1) is { } whole)
                throw new InvalidDataException($"{path} is damaged at byte {good}, yet whole again at byte {whole}; expected damage at the very end alone. Rebuild the collection.");
            if (good < file.Length)
            {
                file.SetLength(good);
                file.Flush(flushToDisk: true);
            }
            file.Position = good;
            return new FrameLog(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Durable on return; when it throws, the file is as before.</summary>
    public void Append(ReadOnlySpan<byte> content)
    {
        long before = file.Position;
        try
        {
            var frame = new byte[HeaderBytes + content.Length];
            BinaryPrimitives.WriteInt32LittleEndian(frame, content.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(4), Crc32C.Of(frame.AsSpan(0, 4)));
            BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(8), Crc32C.Of(content));
            content.CopyTo(frame.AsSpan(HeaderBytes));
            file.Write(frame);
            file.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            file.SetLength(before);
            file.Position = before;
            throw;
        }
    }

    public void Dispose() => file.Dispose();

    private static byte[]? ReadFrame(FileStream file, long position)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        file.Position = position;
        if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes || ContentLength(header) is not { } length || length > file.Length - position - HeaderBytes) return null;
        var content = new byte[length];
        file.ReadExactly(content);
        return BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) == Crc32C.Of(content) ? content : null;
    }

    /// <returns>Where the next good frame starts; null when there is none.</returns>
    private static long? FindFrame(FileStream file, long start)
    {
        const int Window = 1 << 20;
        var bytes = new byte[Window + HeaderBytes - 1];
        for (; start < file.Length; start += Window)
        {
            file.Position = start;
            int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            for (int n = 0; n + HeaderBytes <= read; n++)
                if (ContentLength(bytes.AsSpan(n)) is not null && ReadFrame(file, start + n) is not null) return start + n;
        }
        return null;
    }

    /// <returns>Null when this is no header.</returns>
    private static int? ContentLength(ReadOnlySpan<byte> header)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(header);
        return length > 0 && BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) == Crc32C.Of(header[..4]) ? length : null;
    }
}
