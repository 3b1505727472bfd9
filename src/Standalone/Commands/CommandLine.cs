using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>The command line tool <c>beeformer</c>.</summary>
internal static class CommandLine
{
    /// <summary>Lines of a file or a pipe are not broken where those of a terminal would be.</summary>
    private const int WideEnough = 1_000;

    public static Task<int> RunAsync(string[] args) => RunAsync(args, StandardOutput(), Console.Error);

    /// <param name="error">Gets the sentence that says what went wrong.</param>
    /// <param name="cancellationToken">Stops the command, as Ctrl+C does.</param>
    public static async Task<int> RunAsync(string[] args, IAnsiConsole console, TextWriter error, CancellationToken cancellationToken = default)
    {
        ParseResult parsed = Root(console).Parse(args);
        // What is wrong with one command must not drown in its help; a group says which commands it has.
        if (parsed.Action is ParseErrorAction wrong) wrong.ShowHelp = parsed.CommandResult.Command.Subcommands.Count > 0;
        int code = await parsed.InvokeAsync(new InvocationConfiguration { Output = console.Profile.Out.Writer, Error = error, ProcessTerminationTimeout = TimeSpan.FromSeconds(30) }, cancellationToken);
        if (parsed.Action is ParseErrorAction { ShowHelp: false }) await error.WriteLineAsync($"How it is used: {CommandPath.Of(parsed.CommandResult.Command)} --help");
        return code;
    }

    public static RootCommand Root(IAnsiConsole console)
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
            DoctorCommand.Create(console),
            HealthCommand.Create(console),
            CompletionCommand.Create(console),
            ReferenceCommand.Create(console),
        };
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        var help = new HelpOption("--help", "-h", "-?") { Description = "Show what the command does, its options and examples." };
        help.Action = new HelpWithExamples((SynchronousCommandLineAction)help.Action!);
        root.Options.Add(help);
        return root;
    }

    /// <summary>What a terminal can show goes to terminals only, whatever the environment says about the machine that reads the output.</summary>
    private static IAnsiConsole StandardOutput()
    {
        if (!Console.IsOutputRedirected) return AnsiConsole.Console;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Width = WideEnough;
        return console;
    }
}
