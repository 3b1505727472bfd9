using System.Diagnostics;
using BeeFormer.Streaming.Standalone.Commands;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>The printed script in a real bash, which asks the built program.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    [Theory]
    [InlineData("beeformer mo", "models")]
    [InlineData("beeformer models ex", "export")]
    [InlineData("beeformer models ", "activate", "export", "import", "list", "show")]
    [InlineData("beeformer train --te", "--tempo")]
    [InlineData("beeformer train --tempo ", "encoder", "head")]
    [InlineData("beeformer train --tempo head --po", "--policy")]
    [InlineData("beeformer completion b", "bash")]
    [InlineData("beeformer ref")]
    public async Task Bash_completes_commands_options_and_values(string line, params string[] expected)
    {
        string script = files.Write("completion.bash", (await Tool.SucceedAsync("completion", "bash")).Output);
        string dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet";
        files.Write("beeformer", $"#!/bin/sh\nexec {dotnet} {typeof(CommandLine).Assembly.Location} \"$@\"\n");
        // What bash itself does at a Tab: words, the word under the cursor, then the function that the script has registered.
        string asked = files.Write("ask.bash", """
            set -eu
            chmod +x "${1%/*}/beeformer"
            source "$1"
            COMP_LINE="$2" COMP_POINT=${#2}
            read -ra COMP_WORDS <<< "$2"
            [[ "$2" == *' ' ]] && COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
            "$(complete -p beeformer | sed 's/.*-F \([^ ]*\).*/\1/')"
            (( ${#COMPREPLY[@]} )) && printf '%s\n' "${COMPREPLY[@]}" || true
            """);
        var start = new ProcessStartInfo("bash", [asked, script, line]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = $"{files.Folder}:{Environment.GetEnvironmentVariable("PATH")}";
        using Process bash = Process.Start(start)!;
        Task<string> output = bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), error = bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), (bash.ExitCode, await error));
        string[] completed = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (line.EndsWith("models ", StringComparison.Ordinal)) completed = [.. completed.Where(word => !word.StartsWith('-'))];
        Assert.Equal(expected.Order(StringComparer.Ordinal), completed.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("zsh", "compdef _beeformer beeformer")]
    [InlineData("fish", "complete -c beeformer")]
    public async Task Other_shells_have_a_script_of_their_own(string shell, string expected) =>
        Assert.Contains(expected, (await Tool.SucceedAsync("completion", shell)).Output, StringComparison.Ordinal);

    [Fact]
    public async Task Shells_that_are_not_known_are_refused() => Assert.Equal(ExitCodes.NotDone, (await Tool.RunAsync("completion", "tcsh")).ExitCode);
}
