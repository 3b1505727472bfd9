namespace BeeFormer.Streaming.Ingest;

/// <summary>Rows of one partition that wait to be written, covering offsets <see cref="First"/> to <see cref="Next"/> (excluded).</summary>
internal sealed class OpenSegment<TRows>(long first, TRows rows)
{
    public long First { get; } = first;
    public long Next { get; private set; } = first;
    public TRows Rows { get; } = rows;
    /// <summary>A time stamp of the clock when the first message came in.</summary>
    public long OpenedAt { get; private set; }

    public bool IsEmpty => First == Next;

    public void Cover(long offset, long now)
    {
        if (offset < Next) throw new InvalidOperationException($"offset {offset} follows {Next - 1}; offsets only rise");
        if (IsEmpty) OpenedAt = now;
        Next = offset + 1; // what the log left out in between is covered, too: compaction removed it, or it was never a message
    }
}
