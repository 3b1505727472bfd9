using System.CommandLine;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>The command line tool <c>beeformer</c>.</summary>
internal static class CommandLine
{
    public static Task<int> RunAsync(string[] args) => RunAsync(args, AnsiConsole.Console, Console.Error);

    /// <param name="error">Gets the sentence that says what went wrong.</param>
    public static async Task<int> RunAsync(string[] args, IAnsiConsole console, TextWriter error)
    {
        var root = new RootCommand("BeeFormer.Streaming: a recommender that learns from a stream of events what item texts mean to users.")
        {
            ServeCommand.Create(console),
            DemoCommand.Create(console),
            ReplayCommand.Create(console),
            EvaluateCommand.Create(console),
            EncodeCommand.Create(console),
            EncoderCommand.Create(console),
            WindowsCommand.Create(console),
            UsersCommand.Create(console),
            ModelsCommand.Create(console),
            TrainCommand.Create(console),
            TrainingsCommand.Create(console),
            DeadLettersCommand.Create(console),
            KeysCommand.Create(console),
        };
        return await root.Parse(args).InvokeAsync(new InvocationConfiguration { Output = console.Profile.Out.Writer, Error = error, ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
    }
}
