using System.CommandLine;
using System.Globalization;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Hosting;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>windows count</c> and <c>windows describe</c>: what the WindowStore holds. May be used beside a running process.</summary>
internal static class WindowsCommand
{
    public static Command Create(IAnsiConsole console)
    {
        Option<string> data = CommonOptions.Data();
        JsonOption counted = new(console), json = new(console);
        var count = new Command("count", "Print the number of distinct interactions, and nothing else.") { data, counted.Option };
        count.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, _ =>
        {
            var result = new Counted(Describe(parsed.GetRequiredValue(data)).Interactions);
            counted.People(parsed).WriteLine(result.Interactions.ToString(CultureInfo.InvariantCulture));
            counted.Write(parsed, result);
            return Task.FromResult(0);
        }, cancellationToken));
        var describe = new Command("describe", "Describe the interactions and items that have landed.") { data, json.Option };
        describe.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, _ =>
        {
            WindowSummary summary = Describe(parsed.GetRequiredValue(data));
            Print(json.People(parsed), summary);
            json.Write(parsed, summary);
            return Task.FromResult(0);
        }, cancellationToken));
        return new Command("windows", "What has landed in the window store.") { count, describe };
    }

    private sealed record Counted(long Interactions);

    private static WindowSummary Describe(string path)
    {
        using DataFolder folder = DataFolder.OpenToRead(path);
        return Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory }).Configuration.OpenWindowStore(folder.Windows).Describe();
    }

    private static void Print(IAnsiConsole console, WindowSummary summary)
    {
        var table = new Table().AddColumns("What", "How much");
        void Row(string what, string much) => table.AddRow(what, much);
        Row("interactions", Number(summary.Interactions));
        Row("users", Number(summary.Users));
        Row("items interacted with", Number(summary.Items));
        Row("items in the catalogue", Number(summary.CatalogueItems));
        Row("from", Time(summary.FromMs));
        Row("to", Time(summary.ToMs));
        Row("interaction segments", Number(summary.InteractionSegments));
        Row("item segments", Number(summary.ItemSegments));
        Row("bytes", Number(summary.Bytes));
        table.Columns[1].RightAligned();
        console.Write(table);
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(long? ms) => ms is null ? "—" : DateTimeOffset.FromUnixTimeMilliseconds(ms.Value).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
