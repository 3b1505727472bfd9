using DuckDB.NET.Data;
using DuckDB.NET.Native;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>One DuckDB in memory over a fixed list of segments; bounded threads and memory, what does not fit spills to the store's own folder.</summary>
internal sealed class SegmentQuery : IDisposable
{
    private static readonly int Threads = Math.Clamp(Environment.ProcessorCount, 1, 4);
    private readonly DuckDBConnection connection = new("Data Source=:memory:");
    private readonly IReadOnlyList<Segment> segments;

    public SegmentQuery(IReadOnlyList<Segment> segments, string spillFolder)
    {
        this.segments = segments;
        connection.Open();
        Execute($"SET threads={Threads}; SET memory_limit='2GB'; SET preserve_insertion_order=false; SET temp_directory={Text(spillFolder)}; SET TimeZone='UTC'");
    }

    /// <summary>The segments as a table: their columns, and the partition as <c>p</c>.</summary>
    public string Table => TableOf(segments);

    /// <summary>Their files, as functions of DuckDB take them.</summary>
    public string Files => FilesOf(segments);

    public static string Text(string value) => $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";

    public void Execute(string sql) => Guarded(() =>
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    });

    /// <summary>Rows of a small result.</summary>
    public List<T> Rows<T>(string sql, Func<DuckDBDataReader, T> row) => Guarded(() =>
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(row((DuckDBDataReader)reader));
        return rows;
    });

    /// <summary>Rows of a large result, one after the other; they are never all in memory.</summary>
    public void Each(string sql, Action<DuckDBDataReader> row) => Guarded(() =>
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.UseStreamingMode = true;
        using var reader = command.ExecuteReader();
        while (reader.Read()) row((DuckDBDataReader)reader);
        return 0;
    });

    /// <summary>Hands a large result of fixed-width, never-null columns over as it lies in DuckDB's memory, some 2,000 rows at a time.</summary>
    public void Chunks(string sql, Action<ResultChunk> take) => Guarded(() =>
    {
        var state = NativeMethods.Query.DuckDBQuery(connection.NativeConnection, sql, out var result);
        try
        {
            if (state != DuckDBState.Success) throw new InvalidOperationException(NativeMethods.Query.DuckDBResultError(ref result));
            while (true)
            {
                using var chunk = NativeMethods.Query.DuckDBFetchChunk(result);
                if (chunk.IsInvalid) return 0;
                take(new ResultChunk(chunk));
            }
        }
        finally
        {
            NativeMethods.Query.DuckDBDestroyResult(ref result);
        }
    });

    public void Dispose() => connection.Dispose();

    private static string TableOf(IEnumerable<Segment> segments) =>
        $"read_parquet({FilesOf(segments)}, hive_partitioning=true, hive_types={{'p': INTEGER}}, hive_types_autocast=false)";

    private static string FilesOf(IEnumerable<Segment> segments) => $"[{string.Join(',', segments.Select(s => Text(Literally(s.File))))}]";

    /// <summary>DuckDB reads file names as patterns.</summary>
    private static string Literally(string file) => string.Concat(file.Select(c => c is '[' or '*' or '?' ? $"[{c}]" : c.ToString()));

    private T Guarded<T>(Func<T> query)
    {
        try
        {
            return query();
        }
        catch (Exception failure) when (failure is DuckDBException or InvalidOperationException)
        {
            if (FindDamage() is { } damage) throw new InvalidDataException($"Segment {damage.File} is damaged: {damage.Reason.Trim()} Expected a complete Parquet file as the store wrote it.", failure);
            throw;
        }
    }

    /// <summary>DuckDB does not always say which file it stumbled over, so each is read by itself.</summary>
    private (string File, string Reason)? FindDamage()
    {
        foreach (var segment in segments)
        {
            try
            {
                using var command = connection.CreateCommand();
                command.CommandText = $"SELECT sum(hash(COLUMNS(*))) FROM {TableOf([segment])}";
                using var reader = command.ExecuteReader();
                while (reader.Read()) { }
            }
            catch (DuckDBException damage)
            {
                return (segment.File, damage.Message);
            }
        }
        return null;
    }
}

/// <summary>Some rows of a result, column by column; valid only while it is handed over.</summary>
internal readonly struct ResultChunk(DuckDBDataChunk chunk)
{
    public int Rows { get; } = (int)NativeMethods.DataChunks.DuckDBDataChunkGetSize(chunk);

    public unsafe ReadOnlySpan<T> Column<T>(int column) where T : unmanaged =>
        new(NativeMethods.Vectors.DuckDBVectorGetData(NativeMethods.DataChunks.DuckDBDataChunkGetVector(chunk, column)), Rows);
}
