using System.CommandLine;
using BeeFormer.Streaming.Standalone.Doctor;
using BeeFormer.Streaming.Standalone.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>doctor</c>: whether the program will work here, and what to do where it will not.</summary>
internal static class DoctorCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public static Command Create(IAnsiConsole console)
    {
        Option<string> data = CommonOptions.Data();
        var address = new AddressOptions();
        Option<string?> policy = CommonOptions.OptionalFile("--policy", "Training policy (YAML); default: the program's own.");
        var json = new JsonOption(console);
        var command = new Command("doctor", "Look at the machine, the data folder and the configured servers, and say what to do about what is wrong.") { data, policy, json.Option };
        address.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, async token =>
        {
            var configuration = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory }).Configuration;
            configuration.AddJsonFile(Path.GetFullPath(Path.Combine(parsed.GetRequiredValue(data), DataFolder.KeysFile)), optional: true, reloadOnChange: false);
            DoctorReport report = await Examination.RunAsync(new Patient(
                parsed.GetRequiredValue(data), address.Of(parsed), parsed.GetValue(policy), configuration, Machine.This(), Server.All, Canary.Bundled, Limit, TimeProvider.System), token);
            Print(json.People(parsed), report);
            json.Write(parsed, report);
            return report.Result == "problem" ? ExitCodes.NotDone : ExitCodes.Done;
        }, cancellationToken));
        return command;
    }

    private static void Print(IAnsiConsole console, DoctorReport report)
    {
        var table = new Table().AddColumns("looked at", "result", "found");
        foreach (Finding finding in report.Findings)
            table.AddRow(new Text(finding.Check), new Text(finding.Result, finding.Result switch { "ok" => Color.Green, "warning" => Color.Yellow, _ => Color.Red }),
                new Text(MessageBytes.Printable(finding.Found) + (finding.Advice is { } advice ? $"\n→ {advice}" : "")));
        console.Write(table);
        console.WriteLine(report.Result switch { "ok" => "All is well.", "warning" => "It will work; the warnings say what would be better.", _ => "There is a problem: see what to do above." });
    }
}
