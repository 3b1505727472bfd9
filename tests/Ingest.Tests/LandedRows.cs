using System.Globalization;
using DuckDB.NET.Data;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>Rows as they lie in the segments that a reader sees, repeated ones included.</summary>
internal static class LandedRows
{
    public static List<(int Partition, long Offset, string User, string Item)> Read(string store)
    {
        var rows = new List<(int, long, string, string)>();
        using var duck = new DuckDBConnection("Data Source=:memory:");
        duck.Open();
        foreach (string partition in Directory.GetDirectories(Path.Combine(store, "interactions"), "p=*"))
            foreach (string file in Visible(partition))
            {
                using var command = duck.CreateCommand();
                command.CommandText = $"""SELECT "offset", user_id, item_id FROM read_parquet('{file}') ORDER BY "offset" """;
                using var reader = command.ExecuteReader();
                while (reader.Read()) rows.Add((int.Parse(Path.GetFileName(partition).AsSpan(2), CultureInfo.InvariantCulture), reader.GetInt64(0), reader.GetString(1), reader.GetString(2)));
            }
        return rows;
    }

    private static IEnumerable<string> Visible(string partition)
    {
        long covered = -1;
        foreach (var (first, last, file) in Directory.GetFiles(partition, "*.parquet").Select(Parse).OrderBy(segment => segment.First).ThenByDescending(segment => segment.Last))
        {
            if (last <= covered) continue;
            covered = last;
            yield return file;
        }
    }

    private static (long First, long Last, string File) Parse(string file)
    {
        string[] ends = Path.GetFileNameWithoutExtension(file).Split('-');
        return (long.Parse(ends[0], CultureInfo.InvariantCulture), long.Parse(ends[1], CultureInfo.InvariantCulture), file);
    }
}
