using System.Text;
using System.Text.RegularExpressions;

namespace BeeFormer.Streaming.Documentation.Tests;

public sealed partial class OptionsReferenceTests
{
    private const string Head = """
        <!-- Written by OptionsReferenceTests with BEEFORMER_WRITE_DOCS=1 -->
        # Options
        Every key of the configuration with its default, from the code. What keys are for, and which belong together: [configuration](../configuration.md). A time is `d.hh:mm:ss`. An empty default means none; where the range is empty, the description says what is taken. What is out of its range stops the
        start. `<name>` stands for a name of your own, `<n>` for 0, 1, 2 and so on. As an environment variable a key has two underscores for each colon.

        """;

    private const string Tail = """

        ## Keys that stand alone
        | key | type | |
        |---|---|---|
        | `Images:Folder` | text | folder of the items' pictures ([text and picture](../encoders-images.md#pictures-in-the-pipeline)) |
        | `Logging:Format` | `simple` or `json` | lines for people, or one JSON object a line ([logs](../observability.md#logs)) |
        | `Redis:CaCertificate` | text | PEM file of the certificates that may sign the Redis server's; none: those of the operating system |
        | `Redis:Configuration` | text | the Redis that holds the profiles ([profiles](../profiles.md#on-redis)); none: embedded |

        """;

    [Fact]
    public void The_reference_is_that_of_the_code()
    {
        var page = new StringBuilder(Head);
        foreach (var section in ConfigurationKey.All.GroupBy(key => key.Name.Split(':')[0]))
        {
            page.Append('\n').Append("## ").Append(section.Key).Append('\n');
            if (Summaries.Of(section.First().Options) is { Length: > 0 } summary) page.Append(summary).Append('\n');
            page.Append("\n| key | type | default | range | |\n|---|---|---|---|---|\n");
            foreach (var key in section) page.Append($"| `{key.Name}` | {key.Type} | {key.Default} | {key.Range} | {key.Summary} |\n");
        }
        Checkout.HoldsGenerated(Checkout.At("docs", "reference", "options.md"), page.Append(Tail).ToString());
    }

    [Fact]
    public void Every_key_is_there_and_says_what_it_is_for()
    {
        Assert.True(ConfigurationKey.All.Count > 90, $"Only {ConfigurationKey.All.Count} keys were found.");
        Assert.Equal(ConfigurationKey.All.Count, ConfigurationKey.All.Select(key => key.Name).Distinct().Count());
        Assert.Contains(ConfigurationKey.All, key => key is { Name: "Api:CheckInterval", Type: "time", Default: "00:00:02", Range: "00:00:00.010 to 01:00:00" });
        Assert.Contains(ConfigurationKey.All, key => key.Name == "Kafka:Topics:<name>:Partitions");
        foreach (string known in new[] { "Api", "Storage", "Ingest", "Kafka", "Qdrant", "Encoder", "Trainer", "ApiKeys" }) Assert.Contains(ConfigurationKey.All, key => key.Name.StartsWith($"{known}:", StringComparison.Ordinal));
    }

    [Fact]
    public void Pages_name_keys_that_there_are()
    {
        string[][] keys = [.. ConfigurationKey.All.Select(key => key.Name).Concat(ConfigurationKey.Alone).Select(key => key.Split(':'))];
        string[] sections = [.. keys.Select(key => key[0]).Distinct()];
        int named = 0;
        foreach (string page in Checkout.Pages.Where(page => Path.GetFileName(page) != "options.md"))
        foreach (Match match in Named().Matches(File.ReadAllText(page)))
        {
            string[] parts = match.Groups["key"].Value.Replace("__", ":", StringComparison.Ordinal).Split(':');
            if (!sections.Contains(parts[0])) continue;
            named++;
            Assert.True(Array.Exists(keys, key => Fits(parts, key)), $"{Checkout.NameOf(page)} names {match.Groups["key"].Value}, which is no key.");
        }
        Assert.True(named > 150, $"Only {named} keys were found in the pages.");
    }

    /// <summary>A page may name the beginning of a key, and gives a name or a number where the key has a place for one.</summary>
    private static bool Fits(string[] named, string[] key) => named.Length <= key.Length && named.Zip(key).All(pair => pair.Second[0] == '<' || pair.First == pair.Second);

    /// <summary><c>`Section:Key`</c>, and <c>Section__Key=</c> of the environment.</summary>
    [GeneratedRegex(@"`(?<key>[A-Z]\w+(:[\w<>.]+)+)(=[^`]*)?`|\b(?<key>[A-Z][A-Za-z0-9]+(__[A-Za-z0-9]+)+)=")]
    private static partial Regex Named();
}
