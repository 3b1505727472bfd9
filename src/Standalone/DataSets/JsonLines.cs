using System.Text;
using System.Text.Json;

namespace BeeFormer.Streaming.Standalone.DataSets;

/// <summary>One JSON object a line; empty lines are passed over.</summary>
internal static class JsonLines
{
    private const int MaxLineLength = 4 * DataRow.MaxFieldLength;

    public static IEnumerable<DataRow> Rows(string file, TextReader reader, IReadOnlyList<string> columns, IReadOnlySet<string> required)
    {
        long line = 0;
        while (ReadLine(file, reader, ++line) is { } text)
        {
            if (string.IsNullOrWhiteSpace(text)) continue;
            using JsonDocument document = Parse(file, line, text);
            yield return new DataRow(line, [.. columns.Select(column => Field(file, line, document.RootElement, column, required.Contains(column)))]);
        }
    }

    private static JsonDocument Parse(string file, long line, string text)
    {
        try
        {
            JsonDocument document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            throw new DataSetException($"{file}, line {line}: expected a JSON object.");
        }
        catch (JsonException e)
        {
            throw new DataSetException($"{file}, line {line}: not valid JSON at character {e.BytePositionInLine + 1}; expected one JSON object a line.", e);
        }
    }

    private static string? Field(string file, long line, JsonElement row, string column, bool required)
    {
        if (!row.TryGetProperty(column, out JsonElement field))
            return required ? throw new DataSetException($"{file}, line {line}: no field {column}.") : null;
        return field.ValueKind switch
        {
            JsonValueKind.String => Text(file, line, field, column),
            JsonValueKind.Number => field.GetRawText(),
            JsonValueKind.Null => null,
            _ => throw new DataSetException($"{file}, line {line}: {column} is {field.ValueKind.ToString().ToLowerInvariant()}; expected a string or a number."),
        };
    }

    private static string Text(string file, long line, JsonElement field, string column)
    {
        try
        {
            return field.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new DataSetException($"{file}, line {line}: {column} holds half of a surrogate pair; expected valid Unicode.", e);
        }
    }

    /// <summary>A line of bounded length: a broken file without line ends must not fill the memory.</summary>
    private static string? ReadLine(string file, TextReader reader, long line)
    {
        var text = new StringBuilder();
        while (true)
        {
            int next = reader.Read();
            if (next < 0) return text.Length == 0 ? null : text.ToString();
            if (next == '\n') return text.ToString();
            if (text.Length == MaxLineLength) throw new DataSetException($"{file}, line {line}: more than {MaxLineLength} characters; expected one JSON object a line.");
            text.Append((char)next);
        }
    }
}
