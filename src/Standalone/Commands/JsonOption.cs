using System.CommandLine;
using BeeFormer.Streaming.Standalone.Reports;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>The option <c>--json</c>: the result for programs, in a file beside what people read, or without a file name on standard output in place of it.</summary>
internal sealed class JsonOption(IAnsiConsole console, string name = "--json")
{
    private static readonly IAnsiConsole Nowhere = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(TextWriter.Null) });

    public Option<string?> Option { get; } = new(name) { Description = "Give the result as JSON: to the file, or without one to standard output.", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };

    /// <summary>Where words, tables and bars go: nowhere while standard output is for JSON.</summary>
    public IAnsiConsole People(ParseResult parsed) => TakesStandardOutput(parsed) ? Nowhere : console;

    public void Write<T>(ParseResult parsed, T result)
    {
        if (TakesStandardOutput(parsed)) console.Profile.Out.Writer.WriteLine(ReportFile.Text(result));
        else ReportFile.Write(parsed.GetValue(Option), result);
    }

    private bool TakesStandardOutput(ParseResult parsed) => parsed.GetResult(Option) is not null && parsed.GetValue(Option) is null;
}
