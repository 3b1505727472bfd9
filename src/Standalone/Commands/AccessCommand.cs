using System.CommandLine;
using BeeFormer.Streaming.Standalone.Access;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>What the commands on models, trainings and dead letters have in common: they say whom they asked, then show the answer as words or as JSON.</summary>
internal static class AccessCommand
{
    public static Command Create<T>(string name, string description, IAnsiConsole console, IReadOnlyList<Symbol> symbols,
        Func<ParseResult, IModelAccess, CancellationToken, Task<T>> ask, Action<IAnsiConsole, T> print) => Create(name, description, console, symbols, ModelAccess.Open, ask, print);

    public static Command Create<TAccess, T>(string name, string description, IAnsiConsole console, IReadOnlyList<Symbol> symbols, Func<string, TAccess> open,
        Func<ParseResult, TAccess, CancellationToken, Task<T>> ask, Action<IAnsiConsole, T> print) where TAccess : IAccess =>
        Create(name, description, console, symbols, open, (parsed, access, _, token) => ask(parsed, access, token), print, _ => ExitCodes.Done);

    /// <param name="open">Given the data folder's path.</param>
    /// <param name="ask">Given where bars may be shown.</param>
    /// <param name="exitCode">What the answer means.</param>
    public static Command Create<TAccess, T>(string name, string description, IAnsiConsole console, IReadOnlyList<Symbol> symbols, Func<string, TAccess> open,
        Func<ParseResult, TAccess, IAnsiConsole, CancellationToken, Task<T>> ask, Action<IAnsiConsole, T> print, Func<T, int> exitCode) where TAccess : IAccess
    {
        Option<string> data = CommonOptions.Data();
        var json = new JsonOption(console);
        var command = new Command(name, description) { data, json.Option };
        foreach (Symbol symbol in symbols)
        {
            if (symbol is Argument argument) command.Arguments.Add(argument);
            if (symbol is Option option) command.Options.Add(option);
        }
        command.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, async token =>
        {
            using TAccess access = open(parsed.GetRequiredValue(data));
            IAnsiConsole people = json.People(parsed);
            people.WriteLine(access.Name);
            T result = await ask(parsed, access, people, token);
            print(people, result);
            json.Write(parsed, result);
            return exitCode(result);
        }, cancellationToken));
        return command;
    }

    public static string Time(DateTimeOffset? time) => time is { } at ? at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) : "—";
}
