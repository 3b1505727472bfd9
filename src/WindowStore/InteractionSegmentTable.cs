using DuckDB.NET.Data;
using DuckDB.NET.Native;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>
/// Writes interactions as Parquet: columns go to a table of DuckDB in vectors of 2,048 rows and from there to the file, without an object for any row.
/// Kept open between segments, since opening a database costs more than a small segment.
/// </summary>
internal sealed unsafe class InteractionSegmentTable : IDisposable
{
    private const int VectorRows = 2048;
    /// <summary>DuckDB scans row groups in parallel and skips them by their time range.</summary>
    private const int RowsPerGroup = 122_880;

    private static readonly DuckDBType[] s_types =
        [DuckDBType.BigInt, DuckDBType.Varchar, DuckDBType.Varchar, DuckDBType.Varchar, DuckDBType.Varchar, DuckDBType.Double, DuckDBType.TimestampTz, DuckDBType.Varchar];

    private readonly DuckDBConnection _connection = new("Data Source=:memory:");

    public InteractionSegmentTable()
    {
        _connection.Open();
        Execute("SET threads=1; SET memory_limit='1GB'; SET TimeZone='UTC'");
    }

    /// <summary>After a failure this is good for nothing but to be disposed.</summary>
    /// <exception cref="IOException">The file could not be written.</exception>
    public void Write(string file, InteractionColumns rows)
    {
        try
        {
            Execute("""CREATE TEMP TABLE segment ("offset" BIGINT, event_id VARCHAR, user_id VARCHAR, item_id VARCHAR, type VARCHAR, value DOUBLE, "timestamp" TIMESTAMPTZ, session_id VARCHAR)""");
            Append(rows);
            Execute($"COPY segment TO {SegmentQuery.Text(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {RowsPerGroup}, USE_TMP_FILE false)");
            DurableFiles.FlushFile(file);
            Execute("DROP TABLE segment");
        }
        catch (DuckDBException failure)
        {
            throw new IOException($"{file} could not be written: {failure.Message}", failure);
        }
    }

    public void Dispose() => _connection.Dispose();

    private void Append(InteractionColumns rows)
    {
        Check(NativeMethods.Appender.DuckDBAppenderCreate(_connection.NativeConnection, null!, "segment", out var appender));
        var types = Array.ConvertAll(s_types, NativeMethods.LogicalType.DuckDBCreateLogicalType);
        try
        {
            using var chunk = NativeMethods.DataChunks.DuckDBCreateDataChunk(Array.ConvertAll(types, type => type.DangerousGetHandle()), (ulong)types.Length);
            for (int start = 0; start < rows.Count; start += VectorRows)
            {
                NativeMethods.DataChunks.DuckDBDataChunkReset(chunk);
                int count = Math.Min(VectorRows, rows.Count - start);
                Fill(chunk, rows, start, count);
                NativeMethods.DataChunks.DuckDBDataChunkSetSize(chunk, (ulong)count);
                Check(NativeMethods.Appender.DuckDBAppendDataChunk(appender, chunk));
            }
            Check(NativeMethods.Appender.DuckDBAppenderClose(appender));
        }
        finally
        {
            foreach (var type in types) type.Dispose();
            appender.Dispose();
        }
    }

    private static void Fill(DuckDBDataChunk chunk, InteractionColumns rows, int start, int count)
    {
        FillTexts(Vector(chunk, 1), rows.EventIds, start, count);
        FillTexts(Vector(chunk, 2), rows.Users, start, count);
        FillTexts(Vector(chunk, 3), rows.Items, start, count);
        FillTexts(Vector(chunk, 4), rows.Types, start, count);
        var offset = (long*)NativeMethods.Vectors.DuckDBVectorGetData(Vector(chunk, 0));
        var value = (double*)NativeMethods.Vectors.DuckDBVectorGetData(Vector(chunk, 5));
        var timestamp = (long*)NativeMethods.Vectors.DuckDBVectorGetData(Vector(chunk, 6));
        ulong* hasValue = Validity(Vector(chunk, 5)), hasSession = Validity(Vector(chunk, 7));
        for (int n = 0; n < count; n++)
        {
            offset[n] = rows.Offsets[start + n];
            timestamp[n] = Microseconds(rows, start + n);
            value[n] = rows.Values[start + n].GetValueOrDefault();
            NativeMethods.ValidityMask.DuckDBValiditySetRowValidity(hasValue, (ulong)n, rows.Values[start + n] is not null);
            NativeMethods.ValidityMask.DuckDBValiditySetRowValidity(hasSession, (ulong)n, !rows.SessionIds[start + n].IsEmpty);
        }
        FillTexts(Vector(chunk, 7), rows.SessionIds, start, count);
    }

    private static void FillTexts(nint vector, Utf8Column texts, int start, int count)
    {
        for (int n = 0; n < count; n++)
        {
            var text = texts[start + n];
            fixed (byte* bytes = text) NativeMethods.Vectors.DuckDBVectorAssignStringElementLength(vector, (ulong)n, bytes, text.Length);
        }
    }

    private static long Microseconds(InteractionColumns rows, int row)
    {
        long ms = rows.TimestampsMs[row];
        return ms >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && ms <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? ms * 1000
            : throw new ArgumentException($"timestamp {ms} of event {rows.EventIds.TextOf(row)} is outside the years 1 to 9999; expected UTC milliseconds since 1970.");
    }

    private static nint Vector(DuckDBDataChunk chunk, int column) => NativeMethods.DataChunks.DuckDBDataChunkGetVector(chunk, column);

    private static ulong* Validity(nint vector)
    {
        NativeMethods.Vectors.DuckDBVectorEnsureValidityWritable(vector);
        return NativeMethods.Vectors.DuckDBVectorGetValidity(vector);
    }

    private static void Check(DuckDBState state)
    {
        if (state != DuckDBState.Success) throw new IOException("DuckDB did not take the rows of a segment");
    }

    private void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
