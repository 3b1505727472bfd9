using System.Text.RegularExpressions;

namespace BeeFormer.Streaming.Documentation.Tests;

/// <summary>One block of commands of a page (<c>```sh</c>), and what it shows (<c>```text</c>, right below it).</summary>
/// <param name="Shown">Lines that the output has, in this order; <c>…</c> stands for anything within a line, and alone for any lines.</param>
internal sealed partial record CommandBlock(string Page, int Line, string Commands, IReadOnlyList<string> Shown)
{
    public static IReadOnlyList<CommandBlock> Of(string page)
    {
        string text = File.ReadAllText(page);
        return [.. Block().Matches(text).Select(match => new CommandBlock(
            Checkout.NameOf(page), text.AsSpan(0, match.Index).Count('\n') + 1, match.Groups["commands"].Value,
            [.. match.Groups["shown"].Value.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line != "…")]))];
    }

    /// <returns>The first line that is missing; null: all is there.</returns>
    public string? Missing(string output)
    {
        int at = 0;
        foreach (string line in Shown)
        {
            var found = Regex.Match(output[at..], Blanks().Replace(Regex.Escape(line), @"[^\S\n]+").Replace("…", @"[^\n]*", StringComparison.Ordinal));
            if (!found.Success) return line;
            at += found.Index + found.Length;
        }
        return null;
    }

    [GeneratedRegex(@"(?ms)^```sh\n(?<commands>.*?)^```$(\n```text\n(?<shown>.*?)^```$)?")]
    private static partial Regex Block();

    [GeneratedRegex(@"(\\ )+")]
    private static partial Regex Blanks();
}
