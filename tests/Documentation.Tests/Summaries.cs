using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace BeeFormer.Streaming.Documentation.Tests;

/// <summary>What the source says of types and properties, as Markdown.</summary>
internal static partial class Summaries
{
    private static readonly string[] s_sources = [.. new[] { "src", "eng" }.SelectMany(folder => Directory.EnumerateFiles(Checkout.At(folder), "*.cs", SearchOption.AllDirectories)).Select(File.ReadAllText)];

    public static string Of(Type type) => Find($@"^public (?:sealed )?(?:partial )?(?:class|record) {type.Name}\b", s_sources, type.Name);

    /// <exception cref="InvalidDataException">The property has no summary, or its class stands in no file.</exception>
    public static string Of(PropertyInfo property)
    {
        Type type = property.DeclaringType!;
        string source = s_sources.Select(text => Regex.Match(text, $@"(?ms)^public (?:sealed )?(?:partial )?(?:class|record) {type.Name}\b.*?(?=^\}}|\z)").Value).Single(text => text.Length > 0);
        return Find($@"^ +public [^\n(=;]*\b{property.Name} \{{", [source], $"{type.Name}.{property.Name}");
    }

    /// <param name="declaration">Where lines of documentation, and attributes below them, end.</param>
    private static string Find(string declaration, IEnumerable<string> sources, string name)
    {
        var found = sources.Select(source => Regex.Match(source, $@"(?m)((?:^ *///[^\n]*\n)*)(?:^ *\[[^\n]*\]\n)*{declaration}")).Single(match => match.Success);
        string lines = Slashes().Replace(found.Groups[1].Value, "");
        if (lines.Length == 0) return "";
        var summary = XElement.Parse($"<doc>{lines}</doc>").Element("summary") ?? throw new InvalidDataException($"{name} has documentation without a summary.");
        foreach (var code in summary.Descendants("c").ToList()) code.ReplaceWith($"`{code.Value}`");
        foreach (var reference in summary.Descendants("see").ToList())
        {
            string target = reference.Attribute("cref")!.Value;
            reference.ReplaceWith($"`{target[(target.LastIndexOf('.') + 1)..]}`");
        }
        return Blanks().Replace(summary.Value, " ").Trim().Replace("|", @"\|", StringComparison.Ordinal);
    }

    [GeneratedRegex("(?m)^ *///")]
    private static partial Regex Slashes();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
