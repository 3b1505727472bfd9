using System.Text.RegularExpressions;

namespace BeeFormer.Streaming.Documentation.Tests;

public sealed partial class LinkTests
{
    [Fact]
    public void Links_between_pages_lead_somewhere()
    {
        int looked = 0;
        foreach (string page in Checkout.Pages)
        foreach (Match link in Link().Matches(Code().Replace(File.ReadAllText(page), "")))
        {
            string[] target = link.Groups[1].Value.Split('#', 2);
            if (target[0].Contains("://", StringComparison.Ordinal)) continue;
            looked++;
            string file = target[0].Length == 0 ? page : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, target[0]));
            Assert.True(Path.Exists(file), $"{Checkout.NameOf(page)} links to {link.Groups[1].Value}, which is not there.");
            if (target.Length == 2) Assert.True(Anchors(file).Contains(target[1]), $"{Checkout.NameOf(page)} links to {link.Groups[1].Value}; {Checkout.NameOf(file)} has no such heading.");
        }
        Assert.True(looked > 150, $"Only {looked} links were found.");
    }

    [Fact]
    public void Every_page_can_be_reached_from_the_readme()
    {
        var reached = new HashSet<string> { Checkout.At("README.md") };
        var open = new Queue<string>(reached);
        while (open.TryDequeue(out string? page))
            foreach (Match link in Link().Matches(File.ReadAllText(page)))
            {
                string file = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, link.Groups[1].Value.Split('#')[0]));
                if (file.EndsWith(".md", StringComparison.Ordinal) && File.Exists(file) && reached.Add(file)) open.Enqueue(file);
            }
        // Decisions are a folder, which the readme names as such.
        Assert.Empty(Directory.EnumerateFiles(Checkout.At("docs"), "*.md", SearchOption.AllDirectories).Where(page => !reached.Contains(page) && !page.Contains("/decisions/", StringComparison.Ordinal)).Select(Checkout.NameOf));
    }

    /// <summary>Headings as GitHub makes anchors of them.</summary>
    private static HashSet<string> Anchors(string page) =>
        Heading().Matches(Code().Replace(File.ReadAllText(page), "")).Select(heading => Dropped().Replace(heading.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-')).ToHashSet();

    [GeneratedRegex(@"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("(?m)^#{1,6} (.*)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Dropped();

    [GeneratedRegex("(?ms)^```.*?^```$")]
    private static partial Regex Code();
}
