using System.Buffers;
using System.IO.MemoryMappedFiles;
using System.Text;

namespace BeeFormer.Streaming.Indexer;

/// <summary>Descriptions of items in a temporary file, since a large catalogue does not fit into memory. Gone when disposed, and after a crash when the folder for temporary files is cleaned.</summary>
internal sealed class CatalogueFile : IDisposable
{
    private readonly FileStream _file = new(Path.Combine(Path.GetTempPath(), $"beeformer-catalogue-{Guid.NewGuid():N}"),
        new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, Options = FileOptions.DeleteOnClose, BufferSize = 1 << 20 });
    private MemoryMappedFile? _map;
    private MemoryMappedViewAccessor? _view;

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
    public void Complete()
    {
        _file.Flush();
        if (_file.Length == 0) return; // nothing to map
        _map = MemoryMappedFile.CreateFromFile(_file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
    }

    /// <summary>Safe for several threads.</summary>
    public ReadOnlyMemory<byte> Read(long position, int length)
    {
        var bytes = new byte[length];
        _view!.SafeMemoryMappedViewHandle.ReadSpan<byte>((ulong)position, bytes);
        return bytes;
    }

    public void Dispose()
    {
        _view?.Dispose();
        _map?.Dispose();
        _file.Dispose();
    }
}
