namespace BeeFormer.Streaming.Trainer;

/// <summary>Memory for graphs kept from the first pass of a step to the second; what a chunk needs is estimated.</summary>
internal sealed class GraphMemory(long bytesPerToken, long bytes)
{
    private long _used;

    /// <returns>Whether the graph of this chunk may be kept.</returns>
    public bool TryTake(int[][] chunk)
    {
        long needed = (long)chunk.Length * chunk.Max(text => text.Length) * bytesPerToken;
        if (_used + needed > bytes) return false;
        _used += needed;
        return true;
    }

    public void Clear() => _used = 0;
}
