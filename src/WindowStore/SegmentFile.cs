using Parquet;
using Parquet.Schema;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>Rows to Parquet. The columns are described in <c>docs/reference/parquet-schema.md</c>.</summary>
internal static class SegmentFile
{
    /// <summary>DuckDB scans row groups in parallel and skips them by their time range.</summary>
    private const int RowsPerGroup = 122_880;

    public static void WriteInteractions(string file, IReadOnlyList<StoredInteraction> rows)
    {
        var offset = new DataField<long>("offset");
        var eventId = new DataField("event_id", typeof(string), isNullable: false);
        var userId = new DataField("user_id", typeof(string), isNullable: false);
        var itemId = new DataField("item_id", typeof(string), isNullable: false);
        var type = new DataField("type", typeof(string), isNullable: false);
        var value = new DataField<double?>("value");
        var timestamp = new DateTimeDataField("timestamp", DateTimeFormat.Timestamp, isAdjustedToUTC: true, unit: DateTimeTimeUnit.Millis, isNullable: false);
        var sessionId = new DataField("session_id", typeof(string), isNullable: true);
        Write(file, new ParquetSchema(offset, eventId, userId, itemId, type, value, timestamp, sessionId), rows, (group, part) =>
        {
            Wait(group.WriteAsync<long>(offset, Column(part, r => r.Offset)));
            Wait(group.WriteAsync(eventId, Column(part, r => r.EventId)));
            Wait(group.WriteAsync(userId, Column(part, r => r.User.Value)));
            Wait(group.WriteAsync(itemId, Column(part, r => r.Item.Value)));
            Wait(group.WriteAsync(type, Column(part, r => r.Type)));
            Wait(group.WriteAsync<double>(value, Column(part, r => r.Value)));
            Wait(group.WriteAsync<DateTime>(timestamp, Column(part, r => Utc(r))));
            Wait(group.WriteAsync(sessionId, Column(part, r => r.SessionId!)));
        });
    }

    public static void WriteItems(string file, IReadOnlyList<StoredItem> rows)
    {
        var offset = new DataField<long>("offset");
        var itemId = new DataField("item_id", typeof(string), isNullable: false);
        var item = new DataField("event", typeof(string), isNullable: true);
        Write(file, new ParquetSchema(offset, itemId, item), rows, (group, part) =>
        {
            Wait(group.WriteAsync<long>(offset, Column(part, r => r.Offset)));
            Wait(group.WriteAsync(itemId, Column(part, r => r.Id.Value)));
            Wait(group.WriteAsync(item, Column(part, r => r.Event is null ? null! : ItemJson.Write(r.Event))));
        });
    }

    private static void Write<T>(string file, ParquetSchema schema, IReadOnlyList<T> rows, Action<ParquetRowGroupWriter, ArraySegment<T>> writeColumns)
    {
        T[] all = rows as T[] ?? [.. rows];
        // Parquet.Net only offers asynchronous calls; on a synchronous file stream they finish before they return.
        using var stream = new FileStream(file, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd, CompressionLevel = System.IO.Compression.CompressionLevel.Fastest };
        var writer = ParquetWriter.CreateAsync(schema, stream, options).GetAwaiter().GetResult();
        for (int start = 0; start < all.Length; start += RowsPerGroup)
        {
            using var group = writer.CreateRowGroup();
            writeColumns(group, new ArraySegment<T>(all, start, Math.Min(RowsPerGroup, all.Length - start)));
        }
        writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        stream.Flush(flushToDisk: true);
    }

    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    private static TValue[] Column<TRow, TValue>(ArraySegment<TRow> rows, Func<TRow, TValue> value)
    {
        var column = new TValue[rows.Count];
        for (int i = 0; i < column.Length; i++) column[i] = value(rows[i]);
        return column;
    }

    private static readonly long MinMs = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long MaxMs = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private static DateTime Utc(StoredInteraction row) => row.TimestampMs >= MinMs && row.TimestampMs <= MaxMs
        ? DateTimeOffset.FromUnixTimeMilliseconds(row.TimestampMs).UtcDateTime
        : throw new ArgumentException($"timestamp {row.TimestampMs} of event {row.EventId} is outside the years 1 to 9999; expected UTC milliseconds since 1970.");
}
