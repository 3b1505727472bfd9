using System.Buffers;

namespace BeeFormer.Streaming.EventLog;

/// <summary>The bytes of a batch's messages, side by side in a few pooled arrays.</summary>
internal sealed class MessageMemory : IDisposable
{
    private const int ChunkBytes = 1 << 18;

    private readonly List<byte[]> _chunks = [];
    private int _used;

    public ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return default;
        if (_chunks.Count == 0 || _chunks[^1].Length - _used < bytes.Length)
        {
            _chunks.Add(ArrayPool<byte>.Shared.Rent(Math.Max(ChunkBytes, bytes.Length)));
            _used = 0;
        }
        bytes.CopyTo(_chunks[^1].AsSpan(_used));
        _used += bytes.Length;
        return _chunks[^1].AsMemory(_used - bytes.Length, bytes.Length);
    }

    public void Dispose()
    {
        foreach (byte[] chunk in _chunks) ArrayPool<byte>.Shared.Return(chunk);
        _chunks.Clear();
    }
}
