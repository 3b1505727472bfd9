using System.Buffers.Binary;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// An append-only file of frames: length of the content (4 bytes, little endian), how much of the file was durable when the frame was written (8), CRC-32C of these (4), CRC-32C of the content (4), content.
/// A crash can only hurt what was not durable yet: opening drops such a tail, but refuses a file in which a later frame knows the damaged bytes for durable.
/// </summary>
internal sealed class ChangeLog : IDisposable
{
    private const int HeaderBytes = 20, HeaderCrcAt = 12, ContentCrcAt = 16;
    private readonly FileStream file;
    private long durable;
    private bool broken;

    private ChangeLog(FileStream file) => (this.file, durable) = (file, file.Length);

    public long Length => file.Length;

    /// <exception cref="InvalidDataException">What was durable is damaged.</exception>
    public static ChangeLog Open(string path, Action<byte[]> replay)
    {
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 0);
        try
        {
            long good = 0;
            while (ReadFrame(file, good) is { } frame)
            {
                try
                {
                    replay(frame.Content);
                }
                catch (FormatException damage)
                {
                    throw new InvalidDataException($"{path} is damaged at byte {good}: {damage.Message}; expected the entries that the index wrote.", damage);
                }
                good += HeaderBytes + frame.Content.Length;
            }
            if (FindFrameThatKnew(file, good) is { } later)
                throw new InvalidDataException($"{path} is damaged at byte {good}, yet whole again at byte {later}; expected damage at the very end alone. Rebuild the collection.");
            file.SetLength(good);
            file.Flush(flushToDisk: true);
            file.Position = good;
            return new ChangeLog(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Durable after the next <see cref="Flush"/>.</summary>
    public void Append(ReadOnlySpan<byte> content)
    {
        if (broken) throw new IOException($"{file.Name} could not be written to before; open the index again.");
        DiskChange.Before("append", file.Name);
        Span<byte> header = stackalloc byte[HeaderBytes];
        BinaryPrimitives.WriteInt32LittleEndian(header, content.Length);
        BinaryPrimitives.WriteInt64LittleEndian(header[4..], durable);
        BinaryPrimitives.WriteUInt32LittleEndian(header[HeaderCrcAt..], Crc32C.Of(header[..HeaderCrcAt]));
        BinaryPrimitives.WriteUInt32LittleEndian(header[ContentCrcAt..], Crc32C.Of(content));
        file.Write(header);
        file.Write(content);
    }

    public void Flush()
    {
        if (durable == file.Length) return;
        DiskChange.Before("flush", file.Name);
        file.Flush(flushToDisk: true);
        durable = file.Length;
    }

    /// <summary>Forgets what was appended beyond a length; durable on return.</summary>
    public void CutTo(long length)
    {
        if (file.Length <= length) return;
        broken = true;
        DiskChange.Before("cut", file.Name);
        file.SetLength(length);
        file.Position = length;
        file.Flush(flushToDisk: true);
        durable = length;
        broken = false;
    }

    public void Dispose() => file.Dispose();

    private static (long Durable, byte[] Content)? ReadFrame(FileStream file, long position)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        file.Position = position;
        if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes || ContentLength(header) is not { } length || length > file.Length - position - HeaderBytes) return null;
        var content = GC.AllocateUninitializedArray<byte>(length);
        file.ReadExactly(content);
        return BinaryPrimitives.ReadUInt32LittleEndian(header[ContentCrcAt..]) == Crc32C.Of(content) ? (BinaryPrimitives.ReadInt64LittleEndian(header[4..]), content) : null;
    }

    /// <returns>Where a good frame after the damage starts that was written when the damaged bytes were durable; null when there is none.</returns>
    private static long? FindFrameThatKnew(FileStream file, long damaged)
    {
        const int Window = 1 << 20;
        var bytes = new byte[Window + HeaderBytes - 1];
        for (long start = damaged + 1; start < file.Length; start += Window)
        {
            file.Position = start;
            int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            for (int n = 0; n + HeaderBytes <= read; n++)
                if (ContentLength(bytes.AsSpan(n)) is not null && ReadFrame(file, start + n) is { } frame && frame.Durable > damaged) return start + n;
        }
        return null;
    }

    /// <returns>Null when this is no header.</returns>
    private static int? ContentLength(ReadOnlySpan<byte> header)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(header);
        return length > 0 && BinaryPrimitives.ReadUInt32LittleEndian(header[HeaderCrcAt..]) == Crc32C.Of(header[..HeaderCrcAt]) ? length : null;
    }
}
