using System.CommandLine;
using BeeFormer.Streaming.Standalone.Access;
using BeeFormer.Streaming.Standalone.Reports;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>What the commands on models, trainings and dead letters have in common: they say whom they asked, then show the answer as words or as JSON.</summary>
internal static class AccessCommand
{
    public static Command Create<T>(string name, string description, IAnsiConsole console, IReadOnlyList<Symbol> symbols,
        Func<ParseResult, IModelAccess, CancellationToken, Task<T>> ask, Action<IAnsiConsole, T> print) => Create(name, description, console, symbols, ModelAccess.Open, ask, print);

    /// <param name="open">Given the data folder's path.</param>
    /// <param name="exitCode">Null: 0 whatever the answer is.</param>
    public static Command Create<TAccess, T>(string name, string description, IAnsiConsole console, IReadOnlyList<Symbol> symbols, Func<string, TAccess> open,
        Func<ParseResult, TAccess, CancellationToken, Task<T>> ask, Action<IAnsiConsole, T> print, Func<T, int>? exitCode = null) where TAccess : IAccess
    {
        Option<string> data = CommonOptions.Data();
        Option<string?> json = CommonOptions.JsonInstead();
        var command = new Command(name, description) { data, json };
        foreach (Symbol symbol in symbols)
        {
            if (symbol is Argument argument) command.Arguments.Add(argument);
            if (symbol is Option option) command.Options.Add(option);
        }
        command.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, async token =>
        {
            using TAccess access = open(parsed.GetRequiredValue(data));
            T result = await ask(parsed, access, token);
            if (parsed.GetResult(json) is not null && parsed.GetValue(json) is null)
            {
                await console.Profile.Out.Writer.WriteLineAsync(ReportFile.Text(result));
                return exitCode?.Invoke(result) ?? 0;
            }
            console.WriteLine($"{access.Name}");
            print(console, result);
            ReportFile.Write(parsed.GetValue(json), result);
            return exitCode?.Invoke(result) ?? 0;
        }, cancellationToken));
        return command;
    }

    public static string Time(DateTimeOffset? time) => time is { } at ? at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) : "—";
}
