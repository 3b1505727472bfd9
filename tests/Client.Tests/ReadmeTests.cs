using System.Text.RegularExpressions;

namespace BeeFormer.Streaming.Client.Tests;

/// <summary>The package's readme says what compiles and works.</summary>
[Collection("Live")]
public sealed partial class ReadmeTests(LiveFixture live)
{
    [Fact]
    public void The_readme_shows_the_compiled_code()
    {
        var shown = Shown().Matches(File.ReadAllText(Checkout.At("src", "Client", "README.md")).ReplaceLineEndings("\n")).Select(match => (match.Groups[1].Value, match.Groups[2].Value)).ToList();
        var compiled = Compiled().Matches(File.ReadAllText(Checkout.At("tests", "Client.Tests", "ReadmeSnippets.cs")).ReplaceLineEndings("\n"))
            .Select(match => (match.Groups[1].Value, Regex.Replace(match.Groups[2].Value, "^        ", "", RegexOptions.Multiline))).ToList();
        Assert.Equal(4, compiled.Count);
        Assert.Equal(compiled, shown);
    }

    [Fact]
    public async Task The_readme_works()
    {
        using var client = live.Server.Client();
        await client.PutItemsAsync([new Item { ItemId = "42", Title = "Gas stove, two burners" }, new Item { ItemId = "43", Title = "Tent for two" }], TestContext.Current.CancellationToken);
        await Patiently.UntilAsync(async () => (await client.EmbedItemsAsync(["42", "43"], TestContext.Current.CancellationToken)).List.All(one => one.Vector is not null), () => "The items should be in the index");
        await ReadmeSnippets.RunAsync(live.Server.Address.ToString(), null);
    }

    [GeneratedRegex(@"^## (.+)\n(?:(?!## |```).*\n)*```csharp\n((?:.*\n)*?)```$", RegexOptions.Multiline)]
    private static partial Regex Shown();

    [GeneratedRegex(@"^ *// snippet: (.+)\n((?:.*\n)*?) *// end$", RegexOptions.Multiline)]
    private static partial Regex Compiled();
}
