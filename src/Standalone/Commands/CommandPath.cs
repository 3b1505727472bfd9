using System.CommandLine;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>A command's name as one types it: <c>beeformer models export</c>.</summary>
internal static class CommandPath
{
    public const string Program = "beeformer";

    public static string Of(Command command) => command is RootCommand ? Program : $"{Of((Command)command.Parents.Single())} {command.Name}";

    /// <summary>The command and all below it, in the order of the help, without hidden ones.</summary>
    public static IEnumerable<Command> All(Command command) => command.Subcommands.Where(one => !one.Hidden).SelectMany(All).Prepend(command);
}
