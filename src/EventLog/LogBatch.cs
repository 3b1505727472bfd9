using System.Collections;

namespace BeeFormer.Streaming.EventLog;

/// <summary>
/// At least one message of one partition, offsets ascending. Offsets may be missing where the log was compacted or holds marks of its own.
/// Disposing is optional: it gives the messages' memory back for the next batches, and nobody may look at them any more.
/// </summary>
/// <param name="startsAnew">The partition came to the reader just now, for the first time or again: what it remembers of it is out of date.</param>
public sealed class LogBatch(int partition, IReadOnlyList<LogMessage> messages, bool startsAnew, IDisposable? memory = null) : IReadOnlyList<LogMessage>, IDisposable
{
    private IDisposable? _memory = memory;

    public int Partition { get; } = partition;

    /// <summary>The partition came to the reader just now, for the first time or again: what it remembers of it is out of date.</summary>
    public bool StartsAnew { get; } = startsAnew;

    /// <summary>The offset behind the last message.</summary>
    public long NextOffset { get; } = messages[^1].Offset + 1;

    public LogMessage this[int index] => messages[index];
    public int Count => messages.Count;
    public IEnumerator<LogMessage> GetEnumerator() => messages.GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose() => Interlocked.Exchange(ref _memory, null)?.Dispose();
}
