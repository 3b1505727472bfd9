using System.IO.Compression;

namespace BeeFormer.Streaming.Standalone.DataSets;

/// <summary>Opens a data file, packed with gzip or not (its first bytes say so, not its name), and turns what goes wrong below into one sentence.</summary>
internal static class DataFile
{
    // Without it a gzip file that is cut off between two rows would pass for a shorter one.
    static DataFile() => AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);

    /// <summary>Rows of a CSV or JSON Lines file: the first character, <c>{</c> or not, tells which.</summary>
    public static IEnumerable<DataRow> Rows(string file, IReadOnlyList<string> columns, IReadOnlySet<string> required)
    {
        using Stream stream = Open(file);
        using var reader = new StreamReader(stream, detectEncodingFromByteOrderMarks: true);
        IEnumerable<DataRow> rows = Guard(file, () => reader.Peek()) == '{'
            ? JsonLines.Rows(file, reader, columns, required)
            : CsvRows.Rows(file, reader, columns, required);
        using IEnumerator<DataRow> row = rows.GetEnumerator();
        while (Guard(file, row.MoveNext)) yield return row.Current;
    }

    private static Stream Open(string file)
    {
        if (Directory.Exists(file)) throw new DataSetException($"{file} is a folder; expected a CSV or JSON Lines file.");
        if (!File.Exists(file)) throw new DataSetException($"{file} does not exist; expected a CSV or JSON Lines file.");
        return Guard<Stream>(file, () =>
        {
            FileStream stream = File.OpenRead(file);
            int first = stream.ReadByte(), second = stream.ReadByte();
            stream.Position = 0;
            return (first, second) == (0x1f, 0x8b) ? new GZipStream(stream, CompressionMode.Decompress) : stream;
        });
    }

    private static T Guard<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (DataSetException)
        {
            throw;
        }
        catch (InvalidDataException e)
        {
            throw new DataSetException($"{file} cannot be unpacked: the gzip data is broken or cut off.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataSetException($"{file} cannot be read: {e.Message}", e);
        }
    }
}
