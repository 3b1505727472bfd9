using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>A data set beside the repository as the cold-start task that its README describes.</summary>
internal static class ColdStartDataSet
{
    /// <param name="attributes">JSON of an item's attributes; null: there are none.</param>
    public static ColdStartTask Read(string name, double minValue, Func<string, string>? attributes = null)
    {
        (Dictionary<string, string> texts, IEnumerable<string[]> rows) = Files(name);
        (string User, string Item)[] pairs = [.. rows
            .Where(row => texts.ContainsKey(row[1]) && double.Parse(row[2], CultureInfo.InvariantCulture) >= minValue).Select(row => (row[0], row[1])).Distinct()
            .GroupBy(pair => pair.Item1).Where(user => user.Count() >= 5).SelectMany(user => user)];
        string[] items = [.. pairs.Select(pair => pair.Item).Distinct()];
        Dictionary<string, int> itemIndex = items.Index().ToDictionary(i => i.Item, i => i.Index);
        Dictionary<string, int> userIndex = pairs.Select(pair => pair.User).Distinct().Index().ToDictionary(u => u.Item, u => u.Index);
        int[] cold = [.. File.ReadAllLines(Path.Combine(Folder(name), "cold_items.txt")).Where(itemIndex.ContainsKey).Select(item => itemIndex[item]).Order()];
        var task = new ColdStartTask([.. items.Select(item => texts[item])], userIndex.Count, [.. pairs.Select(pair => userIndex[pair.User])], [.. pairs.Select(pair => itemIndex[pair.Item])], cold);
        return attributes is null ? task : task with
        {
            ItemWords = [.. items.Select(item => new ItemText().WordsOf(new ItemEvent(new ItemId(item), texts[item], null, JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(attributes(item))!, null, true, 0)))],
        };
    }

    /// <summary>Names of each book's authors, by its id.</summary>
    public static Dictionary<string, string[]> Authors() => Rows(Path.Combine(Folder("goodbooks10k-5pct"), "items_meta.csv.gz")).ToDictionary(row => row[0], row => row[1].Split(", "));

    /// <summary>Everything that the users did, in the order of the file, which is that of time, and the texts of all items.</summary>
    public static (InteractionWindow Window, string[] Texts) Window(string name, double minValue)
    {
        (Dictionary<string, string> texts, IEnumerable<string[]> rows) = Files(name);
        (string User, string Item)[] done = [.. rows.Where(row => texts.ContainsKey(row[1]) && double.Parse(row[2], CultureInfo.InvariantCulture) >= minValue).Select(row => (row[0], row[1]))];
        Dictionary<string, int> itemIndex = texts.Keys.Index().ToDictionary(i => i.Item, i => i.Index);
        Dictionary<string, int> userIndex = done.Select(pair => pair.User).Distinct().Index().ToDictionary(u => u.Item, u => u.Index);
        var window = new InteractionWindow([.. userIndex.Keys.Select(user => new UserId(user))], [.. texts.Keys.Select(item => new ItemId(item))], [.. done.Select(pair => userIndex[pair.User])],
            [.. done.Select(pair => itemIndex[pair.Item])], [.. done.Select(_ => 1f)], [.. done.Select((_, n) => (long)n)], new Dictionary<int, long>(), "");
        return (window, [.. texts.Values]);
    }

    private static (Dictionary<string, string> Texts, IEnumerable<string[]> Interactions) Files(string name)
    {
        string folder = Folder(name);
        return (Rows(Path.Combine(folder, "items.csv.gz")).Where(row => row[2].Length > 0).ToDictionary(row => row[0], row => $"{row[1]}. {row[2]}"), Rows(Path.Combine(folder, "interactions.csv.gz")));
    }

    private static string Folder(string name)
    {
        string folder = Path.GetFullPath(Path.Combine(Golden.RepositoryRoot(), "..", "shared", "data", name));
        if (!Directory.Exists(folder))
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{folder} is missing.");
            Assert.Skip($"{folder} is not on this machine.");
        }
        return folder;
    }

    /// <summary>Records of a CSV file after its header; quoted fields may hold commas, quotes and line ends.</summary>
    private static IEnumerable<string[]> Rows(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        reader.ReadLine();
        var fields = new List<string>();
        var field = new StringBuilder();
        bool quoted = false;
        for (int c = reader.Read(); c >= 0; c = reader.Read())
        {
            if (quoted && c == '"' && reader.Peek() == '"') field.Append((char)reader.Read());
            else if (c == '"') quoted = !quoted;
            else if (quoted || c is not (',' or '\n' or '\r')) field.Append((char)c);
            else if (c != '\r')
            {
                fields.Add(field.ToString());
                field.Clear();
                if (c == ',') continue;
                yield return [.. fields];
                fields.Clear();
            }
        }
    }
}
