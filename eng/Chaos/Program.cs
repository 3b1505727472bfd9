// eng/chaos [--minutes 30] [--seed N] [--folder DIR]
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using BeeFormer.Streaming.Chaos;
using BeeFormer.Streaming.Servers;

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
double minutes = double.Parse(Option("--minutes") ?? "30", CultureInfo.InvariantCulture);
int seed = Option("--seed") is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : RandomNumberGenerator.GetInt32(1_000_000);
string folder = Option("--folder") is { } chosen ? Directory.CreateDirectory(chosen).FullName : Directory.CreateTempSubdirectory("beeformer-chaos-").FullName;
// A question that a server's outage keeps from being answered is answered again so soon after it; others never wait longer.
TimeSpan bound = TimeSpan.FromSeconds(30);
TimeSpan longestPause = TimeSpan.FromSeconds(Math.Clamp(minutes * 4, 8, 60));

if (Installation.Missing is { } missing)
{
    Console.Error.WriteLine(missing);
    return 1;
}
Console.WriteLine($"Seed {seed}, {minutes} minutes, logs in {folder}");
using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) => { press.Cancel = true; interrupted.Cancel(); };

await using var installation = new Installation(Path.Combine(folder, "installation"), new Dictionary<string, string?>
{
    // A small model that learns again and again, so that there is switching all the time.
    ["Trainer:EveryInteractions"] = "3000", ["Trainer:Every"] = "00:00:20", ["Trainer:Threads"] = "1", ["Encoder:MaxSequenceLength"] = "16", ["Encoder:Arithmetic"] = "float32",
    ["Policy"] = await WritePolicyAsync(Path.Combine(folder, "policy.yaml")),
}, proxied: true, diskMegabytes: 2_000);
await installation.StartServersAsync(interrupted.Token);
await Task.WhenAll(((string[])["Ingest", "Trainer", "Indexer", "Api"]).Select(project => installation.StartAsync(project, 2, interrupted.Token)));
await Task.WhenAll(installation.Services.Select(service => service.ReadyAsync(interrupted.Token)));
Console.WriteLine($"{installation.Services.Count} services and {installation.Servers.Count} servers run; disks of their own: {(installation.Disks.Count > 0 ? installation.Disks.Count.ToString(CultureInfo.InvariantCulture) : "none, mounting is not allowed here")}");

await using var orchestrator = new Orchestrator(installation);
using var shop = new Shop([.. installation.Of("Api").Select(api => api.Url)], seed);
await shop.OpenAsync(interrupted.Token);
using var closing = new CancellationTokenSource();
Task trading = shop.RunAsync(closing.Token);
using var memory = new MemoryWatch(installation);
var faults = await BreakAsync();

Console.WriteLine("Mending");
await closing.CancelAsync();
await trading;
using (var client = new ShopClient(installation.Of("Api").First().Url)) await client.SettledAsync(CancellationToken.None);

var verdict = new Verdict();
Console.WriteLine($"{faults.Count} faults; {shop.ItemChanges} changes of items, {shop.Retries} requests repeated; {shop.Questions.Answered} questions answered by {shop.Questions.Models.Count} models, {shop.Questions.Failed} failed; {orchestrator.Restarts} times a service had ended by itself");
await verdict.CompareAsync(installation, shop, Path.Combine(folder, "scratch"), CancellationToken.None);
verdict.Check(shop.Questions.Mixed.Count == 0, $"{shop.Questions.FoundByTitle} items found by their titles, {shop.Questions.Mixed.Count} answers of two models {shop.Questions.Mixed.FirstOrDefault()}");
var late = shop.Questions.Outages.Select(outage => (outage.From, outage.To, Own: outage.To - outage.From - Overlap(outage, faults))).OrderByDescending(outage => outage.Own).ToList();
verdict.Check(late.Count == 0 || late[0].Own <= bound,
    $"{late.Count} stretches without an answer, the longest {(late.Count == 0 ? 0 : late.Max(one => (one.To - one.From).TotalSeconds)):0.0} s; beyond outages of what questions need at most {(late.Count == 0 ? 0 : late[0].Own.TotalSeconds):0.0} s of {bound.TotalSeconds} s");
memory.Check(verdict, minutes);
long disk = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Where(file => file.LinkTarget is null).Sum(file => file.Length);
verdict.Check(disk < 8L << 30, $"{disk >> 20} MiB on disk, servers and logs included");
Console.WriteLine(verdict.Problems.Count == 0 ? $"Nothing was lost, doubled or mixed (seed {seed})." : $"{verdict.Problems.Count} of the checks failed (seed {seed}); logs in {folder}");
if (verdict.Problems.Count > 0) installation.Keep();
return verdict.Problems.Count == 0 ? 0 : 1;

// One fault after the other, at times two at once; all are mended at the end.
async Task<List<(string Name, bool Queries, TimeSpan From, TimeSpan To)>> BreakAsync()
{
    var random = new Random(seed);
    var all = Fault.All(installation, orchestrator, longestPause);
    var happened = new List<(string, bool, TimeSpan, TimeSpan)>();
    var clock = Stopwatch.StartNew();
    List<Task> running = [];
    HashSet<string> befallen = [];
    while (clock.Elapsed < TimeSpan.FromMinutes(minutes) && !interrupted.IsCancellationRequested)
    {
        Fault fault = all[random.Next(all.Count)];
        TimeSpan length = fault.Longest * (0.3 + 0.7 * random.NextDouble());
        string whom = fault.Name.Split(' ')[^1];
        if (befallen.Add(whom)) running.Add(BefallAsync(fault, length, whom));
        await Task.Delay(TimeSpan.FromSeconds(2 + random.NextDouble() * 8), TimeProvider.System);
        running.RemoveAll(task => task.IsCompletedSuccessfully);
    }
    await Task.WhenAll(running);
    return happened;

    async Task BefallAsync(Fault fault, TimeSpan length, string whom)
    {
        TimeSpan from = shop.Questions.Now;
        Console.WriteLine($"{clock.Elapsed:mm\\:ss} {fault.Name}{(length > TimeSpan.Zero ? $" for {length.TotalSeconds:0.0} s" : "")}");
        await fault.BeginAsync();
        await Task.Delay(length, TimeProvider.System);
        await fault.EndAsync(CancellationToken.None);
        lock (happened) happened.Add((fault.Name, fault.Queries, from, shop.Questions.Now));
        befallen.Remove(whom);
    }
}

static TimeSpan Overlap((TimeSpan From, TimeSpan To) outage, List<(string Name, bool Queries, TimeSpan From, TimeSpan To)> faults)
{
    // Of stretches that overlap each other each moment counts once.
    TimeSpan covered = TimeSpan.Zero, at = outage.From;
    foreach (var fault in faults.Where(fault => fault.Queries).OrderBy(fault => fault.From))
    {
        TimeSpan from = fault.From > at ? fault.From : at, to = fault.To < outage.To ? fault.To : outage.To;
        if (to <= from) continue;
        covered += to - from;
        at = to;
    }
    return covered;
}

static async Task<string> WritePolicyAsync(string file)
{
    await File.WriteAllTextAsync(file, "seed: 1\nhead_steps: 30\nhead_warm_steps: 20\nhead_output: 128\nmin_probability: 0.5\ntolerance: 1\ncoverage_tolerance: 1\nforgetting_tolerance: 1\nmin_canaries_found: 0\n");
    return file;
}
