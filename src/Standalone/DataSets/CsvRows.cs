using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace BeeFormer.Streaming.Standalone.DataSets;

/// <summary>RFC 4180 with a header line.</summary>
internal static class CsvRows
{
    public static IEnumerable<DataRow> Rows(string file, TextReader reader, IReadOnlyList<string> columns, IReadOnlySet<string> required)
    {
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture) { MaxFieldSize = DataRow.MaxFieldLength, CacheFields = true };
        using var parser = new CsvParser(reader, configuration, leaveOpen: true);
        if (!Read(file, parser)) throw new DataSetException($"{file} is empty; expected a header line with the columns {string.Join(", ", required)}.");
        string[] header = [.. parser.Record!.Select(name => name.Trim())];
        int[] places = [.. columns.Select(column => Array.IndexOf(header, column))];
        for (int n = 0; n < places.Length; n++)
        {
            if (places[n] < 0 && required.Contains(columns[n]))
                throw new DataSetException($"{file} has no column {columns[n]}; its header names {string.Join(", ", header.Take(20))}.");
        }

        while (true)
        {
            long line = parser.RawRow + 1;
            if (!Read(file, parser)) yield break;
            if (parser.Count != header.Length)
                throw new DataSetException($"{file}, line {line}: {parser.Count} fields; expected {header.Length}, as in the header.");
            yield return new DataRow(line, [.. places.Select(place => place < 0 ? null : parser[place])]);
        }
    }

    private static bool Read(string file, CsvParser parser)
    {
        try
        {
            return parser.Read();
        }
        catch (MaxFieldSizeException e)
        {
            throw new DataSetException($"{file}, line {parser.RawRow}: a field has more than {DataRow.MaxFieldLength} characters; a quote may be left open.", e);
        }
        catch (BadDataException e)
        {
            throw new DataSetException($"{file}, line {parser.RawRow}: a quote stands inside a field; expected the field in quotes and its quotes doubled.", e);
        }
    }
}
