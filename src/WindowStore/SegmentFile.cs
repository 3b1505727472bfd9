using System.Collections.Concurrent;
using Parquet;
using Parquet.Schema;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>Rows to Parquet. The columns are described in <c>docs/reference/parquet-schema.md</c>.</summary>
internal static class SegmentFile
{
    private const int RowsPerGroup = 122_880;

    // As many as ever wrote at once.
    private static readonly ConcurrentBag<InteractionSegmentTable> s_idle = [];

    /// <param name="rows">Best as <see cref="InteractionColumns"/>.</param>
    public static void WriteInteractions(string file, IReadOnlyList<StoredInteraction> rows)
    {
        if (rows is not InteractionColumns columns)
        {
            columns = new InteractionColumns();
            foreach (var row in rows) columns.Add(row);
        }
        if (!s_idle.TryTake(out var table)) table = new InteractionSegmentTable();
        bool whole = false;
        try
        {
            table.Write(file, columns);
            whole = true;
        }
        finally
        {
            if (whole) s_idle.Add(table);
            else table.Dispose();
        }
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
}
