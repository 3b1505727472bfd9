using System.Buffers;

namespace BeeFormer.Streaming.EventLog;

/// <summary>The bytes of messages, side by side in a few pooled arrays that go back when the last who shares them disposes.</summary>
internal sealed class MessageMemory : IDisposable
{
    private const int FirstChunkBytes = 1 << 12; // most batches of a quiet stream hold one message
    private const int ChunkBytes = 1 << 18;

    private readonly List<byte[]> _chunks = [];
    private int _used;
    private int _holders = 1;

    /// <summary>One holder more; each disposes once.</summary>
    public MessageMemory Share()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    public ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return default;
        if (_chunks.Count == 0 || _chunks[^1].Length - _used < bytes.Length)
        {
            int grown = _chunks.Count == 0 ? FirstChunkBytes : Math.Min(ChunkBytes, 4 * _chunks[^1].Length);
            _chunks.Add(ArrayPool<byte>.Shared.Rent(Math.Max(grown, bytes.Length)));
            _used = 0;
        }
        bytes.CopyTo(_chunks[^1].AsSpan(_used));
        _used += bytes.Length;
        return _chunks[^1].AsMemory(_used - bytes.Length, bytes.Length);
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holders) > 0) return;
        foreach (byte[] chunk in _chunks) ArrayPool<byte>.Shared.Return(chunk);
        _chunks.Clear();
    }
}
