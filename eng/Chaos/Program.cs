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
// So much of a stretch without an answer may be at times when Qdrant and an Api were there.
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
using var shop = new Shop([.. installation.Of("Api").Select(api => api.Url)], seed, Path.Combine(folder, "questions.log"));
await shop.OpenAsync(interrupted.Token);
using var closing = new CancellationTokenSource();
Task trading = shop.RunAsync(closing.Token);
using var memory = new MemoryWatch(installation);
var downtime = new Downtime([.. installation.Of("Api").Select(api => api.Name)]);
int faults = await BreakAsync();

Console.WriteLine("Mending");
await closing.CancelAsync();
await trading;
using (var client = new ShopClient(installation.Of("Api").First().Url)) await client.SettledAsync(CancellationToken.None);

var verdict = new Verdict();
Console.WriteLine($"{faults} faults; {shop.ItemChanges} changes of items, {shop.Retries} requests repeated; {shop.Questions.Answered} questions answered by {shop.Questions.Models.Count} models, {shop.Questions.Failed} attempts failed, {shop.Unanswered} questions at every Api; {orchestrator.Restarts} times a service had ended by itself");
await verdict.CompareAsync(installation, shop, Path.Combine(folder, "scratch"), CancellationToken.None);
verdict.Check(shop.Questions.Mixed.Count == 0, $"{shop.Questions.FoundByTitle} items found by their titles, {shop.Questions.Mixed.Count} answers of two models {shop.Questions.Mixed.FirstOrDefault()}");
var stretches = shop.Questions.Outages.Select(stretch => (stretch.From, Long: stretch.To - stretch.From, Unexcused: downtime.Unexcused(stretch))).OrderByDescending(stretch => stretch.Unexcused).ToList();
foreach (var stretch in stretches.Where(stretch => stretch.Unexcused > TimeSpan.FromSeconds(5)).Take(10)) Console.WriteLine($"      {stretch.From:mm\\:ss}: no answer for {stretch.Long.TotalSeconds:0.0} s, {stretch.Unexcused.TotalSeconds:0.0} s of them without a reason");
verdict.Check(stretches.Count == 0 || stretches[0].Unexcused <= bound,
    $"{stretches.Count} stretches without an answer, the longest {stretches.Select(one => one.Long.TotalSeconds).DefaultIfEmpty().Max():0.0} s; of one at most {(stretches.Count == 0 ? 0 : stretches[0].Unexcused.TotalSeconds):0.0} s while Qdrant and an Api were there; {bound.TotalSeconds} s are allowed");
memory.Check(verdict, minutes);
long disk = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Where(file => file.LinkTarget is null).Sum(Length);
verdict.Check(disk < 8L << 30, $"{disk >> 20} MiB on disk, servers and logs included");
Console.WriteLine(verdict.Problems.Count == 0 ? $"Nothing was lost, doubled or mixed (seed {seed})." : $"{verdict.Problems.Count} of the checks failed (seed {seed}); logs in {folder}");
if (verdict.Problems.Count > 0) installation.Keep();
return verdict.Problems.Count == 0 ? 0 : 1;

// Servers and services still run, and delete what they need no more.
static long Length(FileInfo file)
{
    try
    {
        return file.Length;
    }
    catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
    {
        return 0;
    }
}

// One fault after the other, at times two at once; all are mended at the end.
async Task<int> BreakAsync()
{
    var random = new Random(seed);
    var all = Fault.All(installation, orchestrator, longestPause);
    int happened = 0;
    var clock = Stopwatch.StartNew();
    List<Task> running = [];
    HashSet<string> befallen = [];
    while (clock.Elapsed < TimeSpan.FromMinutes(minutes) && !interrupted.IsCancellationRequested)
    {
        Fault fault = all[random.Next(all.Count)];
        TimeSpan length = fault.Longest * (0.3 + 0.7 * random.NextDouble());
        string whom = fault.Name.Split(' ')[^1];
        lock (befallen)
            if (befallen.Add(whom)) running.Add(BefallAsync(fault, length, whom));
        await Task.Delay(TimeSpan.FromSeconds(2 + random.NextDouble() * 8), TimeProvider.System);
        running.RemoveAll(task => task.IsCompletedSuccessfully);
    }
    await Task.WhenAll(running);
    return happened;

    async Task BefallAsync(Fault fault, TimeSpan length, string whom)
    {
        TimeSpan from = shop.Questions.Now;
        Console.WriteLine($"{from:mm\\:ss} {fault.Name}{(length > TimeSpan.Zero ? $" for {length.TotalSeconds:0.0} s" : "")}");
        await fault.BeginAsync();
        await Task.Delay(length, TimeProvider.System);
        TimeSpan ending = shop.Questions.Now;
        await fault.EndAsync(CancellationToken.None);
        TimeSpan ended = shop.Questions.Now;
        if (fault.Away is { } away) downtime.Away(away, from, fault.StartedAtEnd ? ending : ended);
        lock (befallen) befallen.Remove(whom);
        Interlocked.Increment(ref happened);
    }
}

static async Task<string> WritePolicyAsync(string file)
{
    await File.WriteAllTextAsync(file, "seed: 1\nhead_steps: 30\nhead_warm_steps: 20\nhead_output: 128\nmin_probability: 0.5\ntolerance: 1\ncoverage_tolerance: 1\nforgetting_tolerance: 1\nmin_canaries_found: 0\n");
    return file;
}
