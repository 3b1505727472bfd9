using System.Globalization;
using System.IO.Compression;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.EndToEnd.Tests;

/// <summary>A year of a real gift shop, where the data lie beside the repository or BEEFORMER_DATA names their folder.</summary>
internal static class OnlineRetail
{
    private static string Folder { get; } = Path.Combine(Environment.GetEnvironmentVariable("BEEFORMER_DATA") is { Length: > 0 } named ? named : Path.Combine(Checkout.Root, "..", "shared", "data"), "online-retail");

    public static string? Missing => Directory.Exists(Folder) ? null : $"There are no data in {Folder}.";

    public static IReadOnlyList<object> Items() =>
        [.. Lines("items.csv.gz").Select(Fields).Select(fields => (object)new { item_id = fields[0], title = fields[1], description = fields[2] })];

    /// <summary>Oldest first. Event ids are line numbers.</summary>
    public static IEnumerable<object> Purchases() => Lines("interactions.csv.gz").Select((line, number) =>
    {
        string[] fields = line.Split(',');
        return (object)new { event_id = string.Create(CultureInfo.InvariantCulture, $"line-{number}"), user_id = fields[0], item_id = fields[1], type = "purchase", timestamp = long.Parse(fields[3], CultureInfo.InvariantCulture) * 1000 };
    });

    private static IEnumerable<string> Lines(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(Folder, file)), CompressionMode.Decompress));
        reader.ReadLine(); // names
        while (reader.ReadLine() is { } line) yield return line;
    }

    private static string[] Fields(string line)
    {
        List<string> fields = [];
        for (int at = 0; at <= line.Length;)
        {
            if (at < line.Length && line[at] == '"')
            {
                int end = at + 1;
                while (line[end] != '"' || (end + 1 < line.Length && line[end + 1] == '"')) end += line[end] == '"' ? 2 : 1;
                fields.Add(line[(at + 1)..end].Replace("\"\"", "\"", StringComparison.Ordinal));
                at = end + 2;
            }
            else
            {
                int end = line.IndexOf(',', at) is >= 0 and var comma ? comma : line.Length;
                fields.Add(line[at..end]);
                at = end + 1;
            }
        }
        return [.. fields];
    }
}
