using System.Buffers;
using System.Text;

namespace BeeFormer.Streaming.Indexer;

/// <summary>Descriptions of items in a temporary file, since a large catalogue does not fit into memory. Gone when disposed, and after a crash when the folder for temporary files is cleaned.</summary>
internal sealed class CatalogueFile : IDisposable
{
    private readonly FileStream _file = new(Path.Combine(Path.GetTempPath(), $"beeformer-catalogue-{Guid.NewGuid():N}"),
        new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, Options = FileOptions.DeleteOnClose, BufferSize = 1 << 20 });

    public (long Position, int Length) Append(string json)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(json.Length));
        int length = Encoding.UTF8.GetBytes(json, bytes);
        long position = _file.Position;
        _file.Write(bytes, 0, length);
        ArrayPool<byte>.Shared.Return(bytes);
        return (position, length);
    }

    /// <summary>After the last <see cref="Append"/>, before the first <see cref="Read"/>.</summary>
    public void Complete() => _file.Flush();

    /// <summary>Safe for several threads.</summary>
    public ReadOnlyMemory<byte> Read(long position, int length)
    {
        var bytes = new byte[length];
        for (int read = 0; read < length;)
        {
            int more = RandomAccess.Read(_file.SafeFileHandle, bytes.AsSpan(read), position + read);
            if (more == 0) throw new EndOfStreamException($"{_file.Name} ends at byte {position + read}; expected an item's description up to byte {position + length}.");
            read += more;
        }
        return bytes;
    }

    public void Dispose() => _file.Dispose();
}
