using BeeFormer.Streaming.Standalone.Commands;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>The command line tool, run in this process.</summary>
internal static class Tool
{
    public sealed record Result(int ExitCode, string Output, string Error);

    public static Task<Result> RunAsync(params string[] args) => RunAsync(new StringWriter(), args, CancellationToken.None);

    /// <summary>Stops the command, as Ctrl+C does, as soon as it says <paramref name="when"/>.</summary>
    public static async Task<Result> StopAsync(string when, params string[] args)
    {
        using var stop = new CancellationTokenSource();
        return await RunAsync(new Listener(when, stop.Cancel), args, stop.Token);
    }

    private sealed class Listener(string word, Action heard) : StringWriter
    {
        public override void Write(string? value)
        {
            base.Write(value);
            if (value?.Contains(word, StringComparison.Ordinal) == true) heard();
        }
    }

    private static async Task<Result> RunAsync(StringWriter output, string[] args, CancellationToken cancellationToken)
    {
        using var error = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 200;
        int code = await CommandLine.RunAsync(args, console, error, cancellationToken);
        return new Result(code, output.ToString(), error.ToString());
    }

    public static async Task<Result> SucceedAsync(params string[] args)
    {
        Result result = await RunAsync(args);
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}: {result.Error}");
        return result;
    }

    /// <summary>Exit code 1, and one sentence that holds all of <paramref name="expected"/>.</summary>
    public static async Task RefuseAsync(string[] args, params string[] expected)
    {
        Result result = await RunAsync(args);
        Assert.True(result.ExitCode == 1, $"exit code {result.ExitCode}: {result.Error}");
        string sentence = result.Error.TrimEnd('\n', '\r');
        Assert.DoesNotContain('\n', sentence);
        Assert.EndsWith(".", sentence, StringComparison.Ordinal);
        foreach (string part in expected) Assert.Contains(part, sentence, StringComparison.Ordinal);
    }
}
