using System.CommandLine;
using System.Globalization;
using BeeFormer.Streaming.Standalone.Demo;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.SimulatedShop;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>demo</c>: a simulated shop, the whole loop, a table; then it goes on serving.</summary>
internal static class DemoCommand
{
    /// <summary>Small index batches: the bars show them one by one.</summary>
    private static readonly Dictionary<string, string?> Settings = new(ManualTraining.Settings) { ["Indexer:MaxBatch"] = "64", ["Indexer:RebuildBatch"] = "128" };

    public static Command Create(IAnsiConsole console)
    {
        Option<string> data = CommonOptions.Data(Path.Combine("data", "demo"));
        var address = new AddressOptions();
        Option<int> seed = new("--seed") { Description = "Seed of the simulated shop.", HelpName = "N", DefaultValueFactory = _ => 1 };
        Option<int> products = CommonOptions.PositiveNumber("--products", "Products of the shop.", new ShopOptions().Products);
        Option<int> shoppers = CommonOptions.PositiveNumber("--shoppers", "Shoppers of the shop.", new ShopOptions().Shoppers);
        Option<bool> exit = new("--exit") { Description = "Stop after the table instead of going on serving." };
        var json = new JsonOption(console);
        var command = new Command("demo", "Watch the whole loop learn on a simulated shop.") { data, seed, products, shoppers, exit, json.Option };
        address.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, async token =>
        {
            IAnsiConsole people = json.People(parsed);
            var options = new ShopOptions { Seed = parsed.GetRequiredValue(seed), Products = parsed.GetRequiredValue(products), Shoppers = parsed.GetRequiredValue(shoppers) };
            await using StandaloneHost host = await StandaloneHost.StartAsync(parsed.GetRequiredValue(data), address.Of(parsed), quiet: true, Settings, token);
            DemoReport report = await host.RunAsync(running => Progress.WithBarsAsync(people, bars => new DemoRun(
                host.Pipeline, options, (items, stopping) => BaseVectors.EncodeAsync(host, items, bars, stopping), host.Board, host.UserVector, host.PopularityHalfLife, host.Time)
                .RunAsync(bars, running)), token);
            Print(people, report);
            json.Write(parsed, report);
            if (parsed.GetValue(exit)) return 0;
            people.WriteLine($"Serving on {string.Join(", ", host.Urls)} (OpenAPI: /openapi/v1.json). Ctrl+C stops.");
            return await host.ServeAsync(token);
        }, cancellationToken));
        return command;
    }

    private static void Print(IAnsiConsole console, DemoReport report)
    {
        var table = new Table { Title = new TableTitle($"What {report.Shoppers} shoppers bought next, {report.ShoppersOfNew} of them products that nobody had bought before") }
            .AddColumns("encoder", "recall@20 of new products", "recall@20", "ndcg@20");
        foreach (DemoRow row in report.Rows) table.AddRow(row.Name, Figures.Of(row.RecallNew), Figures.Of(row.Recall), Figures.Of(row.Ndcg));
        foreach (TableColumn column in table.Columns.Skip(1)) column.RightAligned();
        console.Write(table);
        console.WriteLine($"Live is model {report.LiveVersion}. {report.Decision}");
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"The whole loop took {report.Seconds:F0} s."));
    }
}
