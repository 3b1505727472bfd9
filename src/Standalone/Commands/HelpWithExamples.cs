using System.CommandLine;
using System.CommandLine.Invocation;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>The library's help, then examples; and, at the root, what exit codes mean.</summary>
internal sealed class HelpWithExamples(SynchronousCommandLineAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        Command command = parseResult.CommandResult.Command;
        if (command.Hidden) return code;
        output.WriteLine("Examples:");
        foreach (string example in Examples.Of(command)) output.WriteLine($"  {example}");
        output.WriteLine();
        if (command is not RootCommand) return code;
        output.WriteLine("Exit codes:");
        foreach ((int number, string meaning) in ExitCodes.All) output.WriteLine($"  {number,-4}{meaning}");
        output.WriteLine();
        return code;
    }
}
