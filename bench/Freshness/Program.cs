// How soon an item is found and how soon it is gone: `dotnet run -c Release --project bench/Freshness -- [--items 1000] [--rate 20] [--queries 10] [--catalogue 2000] [--set Key=Value …]`
// What answers cost over a large catalogue: `… -- --requests 100000`
using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Freshness;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.SimulatedShop;

int Number(string name, int unless) => Array.IndexOf(args, name) is >= 0 and var at ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : unless;
int items = Number("--items", 1000), rate = Number("--rate", 20), queries = Number("--queries", 10), known = Number("--catalogue", 2000);
var settings = args.Zip(args.Skip(1)).Where(pair => pair.First == "--set").Select(pair => pair.Second.Split('=', 2)).ToDictionary(pair => pair[0], pair => (string?)pair[1]);

string folder = Directory.CreateTempSubdirectory("freshness-bench-").FullName;
try
{
    if (args.Contains("--requests"))
    {
        await RequestCost.RunAsync(folder, Number("--requests", 100_000));
        return;
    }
    await using var host = await StandaloneHost.StartAsync(folder, "http://127.0.0.1:0", quiet: true, settings, default);
    var catalogue = new Catalogue(new ShopOptions { Products = known + 2 * items }, new Random(1)).Write(0, 1).Select(product => product.Item).ToList();
    using var shop = new ShopClient(host.Urls.First());
    var clock = Stopwatch.StartNew();
    await shop.PutAllAsync(catalogue[..known]);
    await host.Pipeline.WaitUntilServedAsync(default);
    await shop.UntilReadyAsync();
    Console.WriteLine($"{known:N0} items in the index after {clock.Elapsed.TotalSeconds:F0} s; {rate} items/s, {queries} queries/s, on {(settings.Count == 0 ? "embedded parts" : string.Join(", ", settings.Keys))}");

    await new ItemStream(shop, rate, queries).RunAsync("nothing else runs", catalogue[known..(known + items)]);
    using var rebuilds = new Rebuilds(host);
    await new ItemStream(shop, rate, queries).RunAsync("while collections are rebuilt", catalogue[(known + items)..]);
    Console.WriteLine($"  {await rebuilds.EndAsync()} switches of the model");
}
finally
{
    Directory.Delete(folder, recursive: true);
}
