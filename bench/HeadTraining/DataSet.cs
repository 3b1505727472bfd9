using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace BeeFormer.Streaming.HeadTraining;

/// <summary>A folder with <c>items.csv.gz</c> (item_id, title, text), <c>interactions.csv.gz</c> (user_id, item_id, value) and <c>cold_items.txt</c> (one item id a line).</summary>
/// <param name="User">Pair n is user <c>User[n]</c> and item <c>Item[n]</c>; pairs are distinct.</param>
internal sealed record DataSet(string[] Texts, bool[] Cold, int Users, int[] User, int[] Item)
{
    /// <param name="minValue">Interactions below it are left out (ratings: 4).</param>
    public static DataSet Read(string folder, double minValue)
    {
        var texts = new Dictionary<string, string>();
        foreach (var row in Rows(Path.Combine(folder, "items.csv.gz")))
            if (row("text").Length > 0) texts.Add(row("item_id"), $"{row("title")}. {row("text")}");
        var pairs = new HashSet<(string User, string Item)>();
        foreach (var row in Rows(Path.Combine(folder, "interactions.csv.gz")))
            if (double.Parse(row("value"), CultureInfo.InvariantCulture) >= minValue && texts.ContainsKey(row("item_id"))) pairs.Add((row("user_id"), row("item_id")));
        var kept = pairs.GroupBy(pair => pair.User).Where(user => user.Count() >= 5).OrderBy(user => user.Key, StringComparer.Ordinal).ToArray();
        var items = kept.SelectMany(user => user).Select(pair => pair.Item).Distinct().Order(StringComparer.Ordinal).ToArray();
        var index = items.Index().ToDictionary(item => item.Item, item => item.Index);
        var cold = File.ReadLines(Path.Combine(folder, "cold_items.txt")).ToHashSet();
        var flat = kept.SelectMany((user, u) => user.Select(pair => (User: u, Item: index[pair.Item]))).ToArray();
        return new DataSet([.. items.Select(item => texts[item])], [.. items.Select(cold.Contains)], kept.Length, [.. flat.Select(p => p.User)], [.. flat.Select(p => p.Item)]);
    }

    private static IEnumerable<Func<string, string>> Rows(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        var header = Record(reader) ?? throw new InvalidDataException($"{file} is empty; expected a header line");
        while (Record(reader) is { } fields) yield return name => fields[header.IndexOf(name)];
    }

    // One record of RFC 4180: fields in quotes may hold commas, line ends and doubled quotes.
    private static List<string>? Record(StreamReader reader)
    {
        if (reader.Peek() < 0) return null;
        var fields = new List<string>();
        var field = new StringBuilder();
        bool quoted = false;
        for (int c = reader.Read(); c >= 0; c = reader.Read())
        {
            if (c == '"' && quoted && reader.Peek() == '"') field.Append((char)reader.Read());
            else if (c == '"') quoted = !quoted;
            else if (quoted) field.Append((char)c);
            else if (c == '\n') break;
            else if (c == ',')
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else if (c != '\r') field.Append((char)c);
        }
        fields.Add(field.ToString());
        return fields;
    }
}
