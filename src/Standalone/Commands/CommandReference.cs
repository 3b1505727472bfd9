using System.CommandLine;
using System.Globalization;
using System.Text;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>The reference of all commands as Markdown, written from the commands themselves.</summary>
internal static class CommandReference
{
    public const string Regenerate = "dotnet run -c Release --project src/Standalone -- reference > docs/cli.md";

    private const string Head = $"""
        <!-- Written by: {Regenerate} -->
        # The command line
        `beeformer` stands for `dotnet run -c Release --project src/Standalone --`. Every command has `--help`; `beeformer --version` tells the version. Commands on models, trainings, users and dead letters ask the server that works on the data folder, and work on the folder
        themselves where none does; the first line of their output says which it was.

        - **For programs**: `--json` puts the result as JSON on standard output in place of everything else, `--json FILE` writes it beside the table. A progress bar becomes a line now and then where standard output is no terminal, and there are no escape sequences.
        - **Stopping**: after Ctrl+C or SIGTERM a command ends what it has in hand, at most 30 seconds long, leaves no torn file, and the data folder can be used again at once. Of `serve` and `demo` the exit code is 0 when they were serving.
        - **`beeformer doctor`** looks at policy, processor, cores, memory, open files, clock, libtorch, encoder (it must load, be whole and give a known vector), data folder (format, owner, writing and flushing, room, kind of file system), address, and each server that the configuration
          names (Kafka, Redis, Qdrant, S3: two attempts, 5 seconds each). Each finding is ok, a warning (it will work) or a problem (it will not), the latter two with what to do. Nothing is changed: a file that it writes it removes, topics and buckets it does not create, secrets it does not tell.
        - **Configuration** keys can be given as environment variables ([configuration](configuration.md)).
        - **Completion**: `source <(beeformer completion bash)`, and the same for zsh and fish ([completion](#beeformer-completion)).


        """;

    public static string Of(RootCommand root)
    {
        var page = new StringBuilder(Head.ReplaceLineEndings("\n"));
        page.Append("## Exit codes\n| code | meaning |\n|---|---|\n");
        foreach ((int code, string meaning) in ExitCodes.All) page.Append(CultureInfo.InvariantCulture, $"| {code} | {Cell(meaning)} |\n");
        page.Append("\n## Commands\n| | |\n|---|---|\n");
        Command[] commands = [.. CommandPath.All(root).Where(command => command.Subcommands.Count == 0)];
        foreach (Command command in commands) page.Append(CultureInfo.InvariantCulture, $"| [`{CommandPath.Of(command)}`](#{CommandPath.Of(command).Replace(' ', '-')}) | {Cell(command.Description!)} |\n");
        foreach (Command command in commands) Append(page, command);
        return page.ToString();
    }

    private static void Append(StringBuilder page, Command command)
    {
        Argument[] arguments = [.. command.Arguments.Where(argument => !argument.Hidden)];
        Option[] options = [.. command.Options.Where(option => !option.Hidden)];
        string usage = string.Join(' ', [CommandPath.Of(command), .. arguments.Select(Usage), .. options.Where(option => option.Required).Select(Name), .. options.Any(option => !option.Required) ? ["[options]"] : Array.Empty<string>()]);
        page.Append(CultureInfo.InvariantCulture, $"\n## {CommandPath.Of(command)}\n{command.Description}\n```\n{usage}\n```\n");
        if (arguments.Length + options.Length > 0) page.Append("| | | default |\n|---|---|---|\n");
        foreach (Argument argument in arguments) Row(page, argument.Name, argument.Description, argument.Arity.MinimumNumberOfValues > 0 ? "required" : "");
        foreach (Option option in options) Row(page, Name(option), option.Description, option.Required ? "required" : option.HasDefaultValue ? Default(option.GetDefaultValue()) : "");
        page.Append("```\n");
        foreach (string example in Examples.Of(command)) page.Append(example).Append('\n');
        page.Append("```\n");
    }

    private static void Row(StringBuilder page, string name, string? description, string value) =>
        page.Append(CultureInfo.InvariantCulture, $"| `{Cell(name)}` | {Cell(description ?? "")} | {Cell(value)} |\n");

    private static string Usage(Argument argument) => argument.Arity switch
    {
        { MinimumNumberOfValues: > 0 } => argument.Name,
        { MaximumNumberOfValues: > 1 } => $"[{argument.Name}…]",
        _ => $"[{argument.Name}]",
    };

    private static string Name(Option option)
    {
        string names = string.Join(", ", option.Aliases.Prepend(option.Name));
        return option.HelpName is not { } value ? names : option.Arity.MinimumNumberOfValues == 0 ? $"{names} [{value}]" : $"{names} {value}";
    }

    private static string Default(object? value) => value switch
    {
        null or false => "",
        TimeSpan time when time.Ticks % TimeSpan.TicksPerDay == 0 => string.Create(CultureInfo.InvariantCulture, $"`{time.Days}d`"),
        Enum one => $"`{one.ToString().ToLowerInvariant()}`",
        IFormattable number => $"`{number.ToString(null, CultureInfo.InvariantCulture)}`",
        _ => $"`{value}`",
    };

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
