using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Standalone.DataSets;

internal static class ItemFile
{
    private static readonly Dictionary<string, JsonElement> NoAttributes = [];

    /// <summary>Reads the catalogue; an item without text is its title alone.</summary>
    /// <param name="updatedAtMs">Stands in the events as their time.</param>
    public static IReadOnlyList<ItemEvent> Read(string file, ColumnNames names, long updatedAtMs, CancellationToken cancellationToken)
    {
        var items = new List<ItemEvent>();
        var lines = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (DataRow row in DataFile.Rows(file, [names.Item, names.Title, names.Text], new HashSet<string> { names.Item, names.Title }))
        {
            if (items.Count % 1024 == 0) cancellationToken.ThrowIfCancellationRequested();
            string where = $"{file}, line {row.Line}";
            (string? id, string? title, string? text) = (row.Fields[0], row.Fields[1], row.Fields[2]);
            if (Id.Problem(names.Item, id) is { } problem) throw new DataSetException($"{where}: {problem}.");
            if (!lines.TryAdd(id!, row.Line)) throw new DataSetException($"{where}: {names.Item} {id} stands in line {lines[id!]} already; expected each item once.");
            bool hasText = !string.IsNullOrWhiteSpace(text);
            if (string.IsNullOrWhiteSpace(title))
                title = hasText ? text! : throw new DataSetException($"{where}: item {id} has neither {names.Title} nor {names.Text}; expected one of them.");
            items.Add(new ItemEvent(new ItemId(id!), title, hasText ? text : null, NoAttributes, null, true, updatedAtMs));
        }
        return items.Count > 0 ? items : throw new DataSetException($"{file} has no rows; expected one item a row.");
    }

    /// <summary>One item id a line.</summary>
    public static IReadOnlySet<ItemId> ReadIds(string file)
    {
        if (!File.Exists(file)) throw new DataSetException($"{file} does not exist; expected one item id a line.");
        var ids = new HashSet<ItemId>();
        foreach (string line in File.ReadLines(file))
        {
            string id = line.Trim();
            if (id.Length == 0) continue;
            if (Id.Problem("item id", id) is { } problem) throw new DataSetException($"{file}: {problem}.");
            ids.Add(new ItemId(id));
        }
        return ids.Count > 0 ? ids : throw new DataSetException($"{file} is empty; expected one item id a line.");
    }
}
