namespace BeeFormer.Streaming.WindowStore;

/// <summary>What segments say of their row groups, without a row being read: how many rows, and the time of the oldest event.</summary>
internal sealed class RowGroups(SegmentQuery duck)
{
    private readonly List<(long OldestMs, long Rows)> groups = duck.Rows($"""
        SELECT floor(epoch_us(stats_min_value::TIMESTAMPTZ) / 1000)::BIGINT AS oldest, row_group_num_rows FROM parquet_metadata({duck.Files}) WHERE path_in_schema = 'timestamp' ORDER BY oldest DESC
        """, r => (r.GetInt64(0), r.GetInt64(1)));

    /// <returns>A time, UTC milliseconds, since which there are at least so many rows; null: reading from the beginning is as good.</returns>
    public long? Since(long rows)
    {
        long together = 0;
        foreach (var (oldest, count) in groups.SkipLast(1))
            if ((together += count) >= rows) return oldest;
        return null;
    }
}
