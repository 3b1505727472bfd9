using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>A data set beside the repository as the cold-start task that its README describes.</summary>
internal static class ColdStartDataSet
{
    public static ColdStartTask Read(string name, double minValue)
    {
        string folder = Path.GetFullPath(Path.Combine(Golden.RepositoryRoot(), "..", "shared", "data", name));
        if (!Directory.Exists(folder))
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{folder} is missing.");
            Assert.Skip($"{folder} is not on this machine.");
        }
        Dictionary<string, string> texts = Rows(Path.Combine(folder, "items.csv.gz")).Where(row => row[2].Length > 0).ToDictionary(row => row[0], row => $"{row[1]}. {row[2]}");
        (string User, string Item)[] pairs = [.. Rows(Path.Combine(folder, "interactions.csv.gz"))
            .Where(row => texts.ContainsKey(row[1]) && double.Parse(row[2], CultureInfo.InvariantCulture) >= minValue).Select(row => (row[0], row[1])).Distinct()
            .GroupBy(pair => pair.Item1).Where(user => user.Count() >= 5).SelectMany(user => user)];
        string[] items = [.. pairs.Select(pair => pair.Item).Distinct()];
        Dictionary<string, int> itemIndex = items.Index().ToDictionary(i => i.Item, i => i.Index);
        Dictionary<string, int> userIndex = pairs.Select(pair => pair.User).Distinct().Index().ToDictionary(u => u.Item, u => u.Index);
        int[] cold = [.. File.ReadAllLines(Path.Combine(folder, "cold_items.txt")).Where(itemIndex.ContainsKey).Select(item => itemIndex[item]).Order()];
        return new ColdStartTask([.. items.Select(item => texts[item])], userIndex.Count, [.. pairs.Select(pair => userIndex[pair.User])], [.. pairs.Select(pair => itemIndex[pair.Item])], cold);
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
