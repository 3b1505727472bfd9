using System.Diagnostics;

namespace BeeFormer.Streaming.Client.Tests;

/// <summary>The examples in other languages, against the real server.</summary>
[Collection("Live")]
public sealed class ExampleTests(LiveFixture live)
{
    [Theory]
    [InlineData("python3", "example.py", new string[] { }), InlineData("bash", "example.sh", new[] { "curl" })]
    public async Task Examples_run_to_their_end(string program, string example, string[] needs)
    {
        foreach (string needed in (string[])[program, .. needs])
            if (!Programs.Have(needed)) Patiently.SkipOrFail($"{needed} is not on this machine.");
        var (code, output) = await LiveServer.RunAsync(new ProcessStartInfo(program, [Checkout.At("docs", "examples", example), live.Server.Address.ToString().TrimEnd('/')]));
        Assert.True(code == 0, output);
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains(lines, line => line.StartsWith("events: accepted 2, duplicate 0", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("again: accepted 0, duplicate 2", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("search: ", StringComparison.Ordinal) && line.Contains("example-stove", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("similar: ", StringComparison.Ordinal) && line.Contains("example-", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("recommended: ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("refused: 400 invalid_field k", StringComparison.Ordinal));
    }
}

/// <summary>What this machine has.</summary>
internal static class Programs
{
    public static bool Have(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}
