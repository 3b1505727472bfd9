using System.CommandLine;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.Standalone.Hosting;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>health</c>: whether the running server works, for containers, which have no other program to ask with.</summary>
internal static class HealthCommand
{
    public static Command Create(IAnsiConsole console)
    {
        Option<string> data = CommonOptions.Data();
        var command = new Command("health", "Ask the server that runs on the data folder whether it works; 1 where it does not.") { data };
        command.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, async token =>
        {
            string folder = Path.GetFullPath(parsed.GetRequiredValue(data));
            Uri server = ServerFile.Read(folder) ?? throw new IOException($"No server runs on {folder}, or it has not started yet; expected a running serve or demo.");
            return await Health.AskAsync(server.ToString(), console.Profile.Out.Writer, token);
        }, cancellationToken));
        return command;
    }
}
