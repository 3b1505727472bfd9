using System.Diagnostics;
using System.Globalization;
using System.Text;
using BeeFormer.Streaming.Servers;
using YamlDotNet.Serialization;

namespace BeeFormer.Streaming.Documentation.Tests;

/// <summary>What the tutorial and the page for operators tell people to type does what they say.</summary>
public sealed class CommandsTests : IDisposable
{
    private static readonly string[] s_needed = ["bash", "curl", "jq", "tar", "timeout"];
    private static readonly string[] s_pages = [Checkout.At("docs", "tutorial.md"), Checkout.At("docs", "operations.md")];

    private readonly string _folder = Directory.CreateTempSubdirectory("documentation-").FullName;

    /// <summary>One after the other, in one shell, on one server: a page goes on where the one before it ended.</summary>
    [Fact]
    public async Task Commands_do_what_the_pages_say()
    {
        string[] absent = [.. s_needed.Where(program => !(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program))))];
        if (absent.Length > 0 && Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail($"{string.Join(", ", absent)} must be there.");
        Assert.SkipWhen(absent.Length > 0, $"{string.Join(", ", absent)} is not on this machine.");

        CommandBlock[] blocks = [.. s_pages.SelectMany(CommandBlock.Of)];
        foreach (string page in s_pages) Assert.Contains(blocks, block => block.Page == Checkout.NameOf(page) && block.Shown.Count > 0);
        var (code, output) = await RunAsync(blocks);
        string[] outputs = output.Split(Mark)[1..];
        var problems = new List<string>();
        for (int n = 0; n < blocks.Length; n++)
        {
            string? problem = n >= outputs.Length ? "was not reached."
                : code != 0 && n == outputs.Length - 1 ? $"failed with exit code {code}; the server said:\n{ServerLog()}"
                : blocks[n].Missing(outputs[n]) is { } line ? $"should show “{line}”." : null;
            if (problem is not null) problems.Add($"{blocks[n].Page}, line {blocks[n].Line} {problem}\n{blocks[n].Commands}It said:\n{outputs.ElementAtOrDefault(n)}");
        }
        Assert.True(problems.Count == 0, string.Join('\n', problems));
        Assert.Equal(0, code);
    }

    [Fact]
    public void What_a_block_shows_is_looked_for()
    {
        var block = new CommandBlock("page", 1, "", ["a … c", "│ x   │", "e"]);
        Assert.Null(block.Missing("a b c\nd\n│ x │\ne f\n"));
        Assert.Equal("│ x   │", block.Missing("a b c\n│ y │\ne\n"));
        Assert.Equal("e", block.Missing("e\na b c\n│ x │\n"));
        Assert.Equal("a … c", block.Missing("a b\nc\n"));
    }

    [Fact]
    public void Operators_are_told_of_every_alert()
    {
        var alerts = new DeserializerBuilder().Build().Deserialize<Dictionary<string, List<Dictionary<string, object>>>>(File.ReadAllText(Checkout.At("infra", "prometheus", "alerts.yml")));
        string[] named = [.. alerts["groups"].SelectMany(group => (List<object>)group["rules"]).Cast<Dictionary<object, object>>().Select(rule => (string)rule["alert"])];
        Assert.NotEmpty(named);
        Assert.Equal(named, File.ReadLines(s_pages[1]).Where(line => line.StartsWith("### `", StringComparison.Ordinal)).Select(line => line[5..^1]));
    }

    private const string Mark = "=== next block ===\n";

    private async Task<(int Code, string Output)> RunAsync(IReadOnlyList<CommandBlock> blocks)
    {
        string programs = Directory.CreateDirectory(Path.Combine(_folder, "programs")).FullName, work = Directory.CreateDirectory(Path.Combine(_folder, "work")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(work, "docs"), Checkout.At("docs"));
        string beeformer = Path.Combine(programs, "beeformer");
        await File.WriteAllTextAsync(beeformer, $"#!/bin/sh\nexec '{Beeformer.DotNet}' '{Beeformer.Assembly}' \"$@\"\n", TestContext.Current.CancellationToken);

        var script = new StringBuilder($"set -euo pipefail\nexec 2>&1\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\nchmod +x '{beeformer}'\n");
        foreach (var block in blocks) script.Append(CultureInfo.InvariantCulture, $"printf '%s\\n' '{Mark.TrimEnd()}'\n{block.Commands}");
        string file = Path.Combine(_folder, "commands.sh");
        await File.WriteAllTextAsync(file, script.Replace("8080", Ports.Take().ToString(CultureInfo.InvariantCulture)).ToString(), TestContext.Current.CancellationToken);

        // The limit is for a machine that is very busy, and for what hangs.
        var start = new ProcessStartInfo("timeout", ["--kill-after=30", "400", "bash", file]) { WorkingDirectory = work, RedirectStandardOutput = true };
        start.Environment["PATH"] = $"{programs}{Path.PathSeparator}{start.Environment["PATH"]}";
        start.Environment.Remove("BEEFORMER_API_KEY");
        start.Environment["Encoder__Arithmetic"] = "float32"; // else each start measures what is fastest, and numbers differ in their last digits
        using var process = Process.Start(start)!;
        try
        {
            string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, output);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private string ServerLog() => string.Concat(Directory.EnumerateFiles(Path.Combine(_folder, "work"), "*.log").Select(file => string.Join('\n', File.ReadLines(file).TakeLast(30))));

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
