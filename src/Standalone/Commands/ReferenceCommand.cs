using System.CommandLine;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>reference</c>, hidden: prints <c>docs/cli.md</c>.</summary>
internal static class ReferenceCommand
{
    public static Command Create(IAnsiConsole console)
    {
        var command = new Command("reference", "Print the reference of all commands as Markdown: what docs/cli.md holds.") { Hidden = true };
        command.SetAction(_ => console.Profile.Out.Writer.Write(CommandReference.Of(CommandLine.Root(console))));
        return command;
    }
}
