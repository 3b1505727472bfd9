using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Ingest;

/// <summary>Rows of one partition that wait to be written, covering offsets <see cref="First"/> to <see cref="Next"/> (excluded).</summary>
/// <param name="limit">First offset that is covered already: a segment after a gap in the store. Usually there is none.</param>
internal sealed class OpenSegment<TRows>(long first, TRows rows, long limit = long.MaxValue)
{
    public long First { get; } = first;
    public long Next { get; private set; } = first;
    public TRows Rows { get; } = rows;
    public MessageTraces Traces { get; } = new(IngestTracing.Source);
    /// <summary>A time stamp of the clock when the first message came in.</summary>
    public long OpenedAt { get; private set; }

    public long Limit { get; } = limit;

    public bool IsEmpty => First == Next;

    /// <summary>Covers what is left before the limit.</summary>
    public void CoverToLimit(long now)
    {
        if (Next < Limit) Cover(Limit - 1, now);
    }

    public void Cover(long offset, long now)
    {
        if (offset < Next) throw new InvalidOperationException($"offset {offset} follows {Next - 1}; offsets only rise");
        if (IsEmpty) OpenedAt = now;
        Next = offset + 1; // what the log left out in between is covered, too: compaction removed it, or it was never a message
    }
}
