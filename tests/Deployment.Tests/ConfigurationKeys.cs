using System.Text.RegularExpressions;

namespace BeeFormer.Streaming.Deployment.Tests;

/// <summary>The keys that <c>docs/reference/options.md</c> lists, which is written from the code.</summary>
internal static partial class ConfigurationKeys
{
    private static readonly HashSet<string> s_known = [.. Key().Matches(Repository.Read("docs", "reference", "options.md")).Select(key => key.Groups[1].Value)];

    /// <summary>Of names of variables, those that are meant for the configuration (<c>Section__Key</c>) and that it does not know.</summary>
    public static IEnumerable<string> UnknownAmong(IEnumerable<string> variables)
    {
        Assert.True(s_known.Count > 90, $"Only {s_known.Count} keys were found in the reference.");
        return variables.Where(name => char.IsAsciiLetterUpper(name[0]) && name.Skip(1).Any(char.IsAsciiLetterLower) && name.Contains("__", StringComparison.Ordinal) && !s_known.Contains(name.Replace("__", ":", StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"(?m)^\| `([A-Za-z0-9:<>]+)` \|")]
    private static partial Regex Key();
}
