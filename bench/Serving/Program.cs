// The API of the whole program over a large catalogue, idle and while a head is trained: `dotnet run -c Release --project bench/Serving -- [--items 100000] [--users 5000] [--clients 8] [--seconds 15] [--set Key=Value …]`
using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Serving;
using BeeFormer.Streaming.Standalone.Hosting;

const string Allocated = "dotnet_gc_heap_total_allocated_bytes_total";

int Number(string name, int unless) => Array.IndexOf(args, name) is >= 0 and var at ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : unless;
int items = Number("--items", 100_000), users = Number("--users", 5000), clients = Number("--clients", 8), seconds = Number("--seconds", 15);
string[][] given = [.. args.Zip(args.Skip(1)).Where(pair => pair.First == "--set").Select(pair => pair.Second.Split('=', 2))];
var settings = ManualTraining.Settings.Concat(given.Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1]))).ToDictionary();

string folder = Directory.CreateTempSubdirectory("serving-bench-").FullName;
try
{
    await using var host = await StandaloneHost.StartAsync(Path.Combine(folder, "data"), "http://127.0.0.1:0", quiet: true, settings, default);
    var clock = Stopwatch.StartNew();
    await new Shop(host, items, users).FillAsync(default);
    string words = Path.Combine(folder, "words"), url = host.Urls.First();
    await File.WriteAllLinesAsync(words, Shop.Words);
    Console.WriteLine($"{items:N0} items, {users:N0} users, ready after {clock.Elapsed.TotalSeconds:F0} s; {clients} clients for {seconds} s each, {Environment.ProcessorCount} cores that wrk shares{string.Concat(given.Select(pair => $", {string.Join('=', pair)}"))}");
    Console.WriteLine($"  {"",-38}{"requests/s",12}{"p50, ms",10}{"p99, ms",10}{"CPU, ms",10}{"KiB allocated",15}");

    using var http = new HttpClient { BaseAddress = new Uri(url) };
    string[] kinds = ["recommendations", "similar", "search"];
    foreach (string kind in kinds) await Wrk.RunAsync(url, clients, 5, kind, $"{items}", $"{users}", words); // until all is compiled
    foreach (string kind in kinds) await MeasureAsync(kind);
    var training = await Training.StartAsync(http);
    foreach (string kind in kinds) await MeasureAsync($"{kind}, a head is trained");
    await training.CancelAsync();

    async Task MeasureAsync(string what)
    {
        double before = await AllocatedAsync();
        var cpu = Environment.CpuUsage.TotalTime;
        var load = await Wrk.RunAsync(url, clients, seconds, what.Split(',')[0], $"{items}", $"{users}", words);
        double spent = (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds / load.Requests, kib = (await AllocatedAsync() - before) / 1024 / load.Requests;
        Console.WriteLine($"  {what,-38}{load.Requests / load.Seconds,12:N0}{load.P50Ms,10:F1}{load.P99Ms,10:F1}{spent,10:F2}{kib,15:N0}");
    }

    async Task<double> AllocatedAsync()
    {
        string metrics = await http.GetStringAsync("/metrics");
        string line = metrics.Split('\n').First(line => line.StartsWith(Allocated, StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
finally
{
    Directory.Delete(folder, recursive: true);
}
