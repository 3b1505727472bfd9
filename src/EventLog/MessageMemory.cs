using System.Buffers;

namespace BeeFormer.Streaming.EventLog;

/// <summary>A batch in the making: its messages and their bytes, side by side in a few pooled arrays that go back when the last who shares them disposes.</summary>
internal sealed class MessageMemory : IDisposable
{
    private const int FirstChunkBytes = 1 << 12; // most batches of a quiet stream hold one message
    private const int ChunkBytes = 1 << 18;

    private readonly List<byte[]> _chunks = [];
    private LogMessage[] _messages = [];
    private int _used;
    private int _holders = 1;

    /// <summary>One holder more; each disposes once.</summary>
    public MessageMemory Share()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    public int Count { get; private set; }

    public ArraySegment<LogMessage> Messages => new(_messages, 0, Count);

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

    public void Add(LogMessage message)
    {
        if (Count == _messages.Length)
        {
            var larger = ArrayPool<LogMessage>.Shared.Rent(Math.Max(16, 2 * Count));
            _messages.AsSpan(0, Count).CopyTo(larger);
            GiveBack(_messages);
            _messages = larger;
        }
        _messages[Count++] = message;
    }

    /// <summary>The batch, which this memory now belongs to; null and given back when it would be empty.</summary>
    public LogBatch? ToBatch(int partition, bool startsAnew)
    {
        if (Count > 0) return new LogBatch(partition, Messages, startsAnew, this);
        Dispose();
        return null;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holders) > 0) return;
        foreach (byte[] chunk in _chunks) ArrayPool<byte>.Shared.Return(chunk);
        _chunks.Clear();
        GiveBack(_messages);
        (_messages, Count) = ([], 0);
    }

    private static void GiveBack(LogMessage[] messages)
    {
        if (messages.Length > 0) ArrayPool<LogMessage>.Shared.Return(messages, clearArray: true);
    }
}
