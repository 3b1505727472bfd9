using System.Text;

namespace BeeFormer.Streaming.Standalone.DataSets;

/// <summary>
/// RFC 4180 with a header line: commas, fields in quotes where they hold commas, quotes (doubled) or line ends.
/// Strict on purpose, since a quote left open would swallow the rest of the file; empty lines are passed over.
/// </summary>
internal sealed class CsvRows
{
    private readonly string file;
    private readonly TextReader reader;
    private readonly StringBuilder field = new();
    private readonly List<string> fields = [];
    private long line = 1;

    private CsvRows(string file, TextReader reader)
    {
        this.file = file;
        this.reader = reader;
    }

    public static IEnumerable<DataRow> Rows(string file, TextReader reader, IReadOnlyList<string> columns, IReadOnlySet<string> required)
    {
        var csv = new CsvRows(file, reader);
        if (!csv.Read(out _)) throw new DataSetException($"{file} is empty; expected a header line with the columns {string.Join(", ", required)}.");
        string[] header = [.. csv.fields.Select(name => name.Trim())];
        int[] places = [.. columns.Select(column => Array.IndexOf(header, column))];
        for (int n = 0; n < places.Length; n++)
        {
            if (places[n] < 0 && required.Contains(columns[n]))
                throw new DataSetException($"{file} has no column {columns[n]}; its header names {Short(string.Join(", ", header))}.");
        }

        while (csv.Read(out long line))
        {
            if (csv.fields.Count != header.Length)
                throw new DataSetException($"{file}, line {line}: {csv.fields.Count} fields; expected {header.Length}, as in the header.");
            yield return new DataRow(line, [.. places.Select(place => place < 0 ? null : csv.fields[place])]);
        }
    }

    /// <param name="begins">Line where the row begins.</param>
    /// <returns>False at the end of the file.</returns>
    private bool Read(out long begins)
    {
        fields.Clear();
        while (reader.Peek() is '\n' or '\r') TakeLineEnd(reader.Read());
        begins = line;
        if (reader.Peek() < 0) return false;
        while (true)
        {
            int end = reader.Peek() == '"' ? Quoted(begins) : Plain();
            fields.Add(field.ToString());
            if (fields.Count > MaxFields) throw new DataSetException($"{file}, line {begins}: more than {MaxFields} fields; expected a CSV file.");
            if (end == ',') continue;
            TakeLineEnd(end);
            return true;
        }
    }

    private const int MaxFields = 1_000;

    private int Plain()
    {
        field.Clear();
        while (true)
        {
            int next = reader.Read();
            if (next is < 0 or ',' or '\n' or '\r') return next;
            if (next == '"') throw new DataSetException($"{file}, line {line}: a quote stands inside a field; expected the whole field in quotes and its quotes doubled.");
            Append((char)next, line);
        }
    }

    private int Quoted(long begins)
    {
        field.Clear();
        reader.Read();
        while (true)
        {
            int next = reader.Read();
            if (next < 0) throw new DataSetException($"{file}, line {begins}: a quote is opened and never closed.");
            if (next == '"')
            {
                int after = reader.Read();
                if (after is < 0 or ',' or '\n' or '\r') return after;
                if (after != '"') throw new DataSetException($"{file}, line {line}: text follows a closing quote; expected a comma or the end of the line.");
            }
            if (next == '\n') line++;
            Append((char)next, begins);
        }
    }

    private void Append(char next, long begins)
    {
        if (field.Length == DataRow.MaxFieldLength)
            throw new DataSetException($"{file}, line {begins}: a field has more than {DataRow.MaxFieldLength} characters; a quote may be left open.");
        field.Append(next);
    }

    private void TakeLineEnd(int first)
    {
        if (first == '\r' && reader.Peek() == '\n') reader.Read();
        if (first >= 0) line++;
    }

    private static string Short(string text) => text.Length <= 200 ? text : text[..200] + "…";
}
