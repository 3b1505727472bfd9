using System.Buffers;

namespace BeeFormer.Streaming.EventLog;

/// <summary>A batch in the making: its messages and their bytes, side by side in a few pooled arrays.</summary>
internal sealed class MessageMemory : IDisposable
{
    private const int ChunkBytes = 1 << 18;

    private readonly List<byte[]> _chunks = [];
    private LogMessage[] _messages = [];
    private int _used;

    public int Count { get; private set; }

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

    public void Add(LogMessage message)
    {
        if (Count == _messages.Length)
        {
            var larger = ArrayPool<LogMessage>.Shared.Rent(Math.Max(64, 2 * Count));
            _messages.AsSpan(0, Count).CopyTo(larger);
            GiveBack(_messages);
            _messages = larger;
        }
        _messages[Count++] = message;
    }

    /// <summary>The batch, which this memory now belongs to; null and given back when it would be empty.</summary>
    public LogBatch? ToBatch(int partition, bool startsAnew)
    {
        if (Count > 0) return new LogBatch(partition, new ArraySegment<LogMessage>(_messages, 0, Count), startsAnew, this);
        Dispose();
        return null;
    }

    public void Dispose()
    {
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
