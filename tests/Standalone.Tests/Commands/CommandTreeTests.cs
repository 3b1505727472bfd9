using System.CommandLine;
using System.Text.RegularExpressions;
using BeeFormer.Streaming.Standalone.Commands;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>What every command has, now and later.</summary>
public sealed partial class CommandTreeTests
{
    /// <summary>They report nothing: one serves, the other prints a script.</summary>
    private static readonly string[] WithoutReport = ["beeformer serve", "beeformer completion", "beeformer health"];

    private static readonly RootCommand Root = CommandLine.Root(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) }));

    public static TheoryData<string> Commands => [.. CommandPath.All(Root).Select(CommandPath.Of)];

    public static TheoryData<string> Leaves => [.. CommandPath.All(Root).Where(command => command.Subcommands.Count == 0).Select(CommandPath.Of)];

    [GeneratedRegex("""beeformer(?<args>[^|>)]*)""")]
    private static partial Regex Call { get; }

    private static Command Find(string path) => CommandPath.All(Root).Single(command => CommandPath.Of(command) == path);

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Help_describes_the_command_its_options_and_an_example(string path)
    {
        Command command = Find(path);
        Tool.Result help = await Tool.SucceedAsync([.. path.Split(' ')[1..], "--help"]);
        Assert.Contains(command.Description!, help.Output, StringComparison.Ordinal);
        foreach (Option option in command.Options)
        {
            Assert.False(string.IsNullOrWhiteSpace(option.Description), $"{option.Name} has no description.");
            Assert.Contains(option.Name, help.Output, StringComparison.Ordinal);
        }
        foreach (Argument argument in command.Arguments) Assert.False(string.IsNullOrWhiteSpace(argument.Description), $"{argument.Name} has no description.");
        Assert.NotEmpty(Examples.Of(command));
        foreach (string example in Examples.Of(command)) Assert.Contains(example, help.Output, StringComparison.Ordinal);
        Assert.Equal("", help.Error);
    }

    [Theory]
    [MemberData(nameof(Leaves))]
    public void Examples_are_understood(string path)
    {
        Command command = Find(path);
        foreach (string example in Examples.Of(command))
        {
            ParseResult parsed = Root.Parse(Call.Match(example).Groups["args"].Value.Trim());
            Assert.True(parsed.Errors.Count == 0, $"{example}: {string.Join(" ", parsed.Errors.Select(error => error.Message))}");
            Assert.Equal(path, CommandPath.Of(parsed.CommandResult.Command));
        }
    }

    [Theory]
    [MemberData(nameof(Leaves))]
    public void What_reports_something_reports_it_as_JSON_to_a_file_or_standard_output(string path)
    {
        Option? json = Find(path).Options.SingleOrDefault(option => option.Name == "--json");
        if (WithoutReport.Contains(path)) Assert.Null(json);
        else Assert.Equal((0, 1), (json?.Arity.MinimumNumberOfValues, json?.Arity.MaximumNumberOfValues));
    }

    [Fact]
    public async Task The_reference_is_what_the_commands_say()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "BeeFormer.Streaming.sln"))) folder = Path.GetDirectoryName(folder);
        string written = await File.ReadAllTextAsync(Path.Combine(folder!, "docs", "cli.md"), TestContext.Current.CancellationToken);
        Assert.True((await Tool.SucceedAsync("reference")).Output == written, $"docs/cli.md is out of date; write it anew: {CommandReference.Regenerate}");
    }

    [Fact]
    public async Task The_help_of_the_program_tells_the_exit_codes()
    {
        string help = (await Tool.SucceedAsync("--help")).Output;
        foreach ((int code, string meaning) in ExitCodes.All) Assert.Matches($@"(?m)^  {code} +{Regex.Escape(meaning)}$", help);
        Assert.DoesNotContain("reference", help, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_command_line_is_one_sentence_on_standard_error_and_nothing_on_standard_output()
    {
        Tool.Result result = await Tool.RunAsync("models", "show", "--data", "data");
        Assert.Equal((ExitCodes.NotDone, ""), (result.ExitCode, result.Output.Trim()));
        Assert.Contains("Required argument 'VERSION' missing for command: 'show'.", result.Error, StringComparison.Ordinal);
        Assert.Contains("beeformer models show --help", result.Error, StringComparison.Ordinal);
    }
}
