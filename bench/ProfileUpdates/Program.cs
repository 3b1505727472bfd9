// Profiles, embedded and on a Redis of this machine: `dotnet run -c Release --project bench/ProfileUpdates -- [interactions] [users] [interactions a second]`
using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ProfileUpdates;
using BeeFormer.Streaming.Profiles;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

const int Batch = 4096;
int Argument(int n, int otherwise) => args.Length > n ? int.Parse(args[n], CultureInfo.InvariantCulture) : otherwise;
int interactions = Argument(0, 1_000_000), users = Argument(1, 100_000), pace = Argument(2, 0);
var names = Enumerable.Range(0, users).Select(n => new UserId($"user-{n:D9}")).ToArray();
var items = Enumerable.Range(0, 20_000).Select(n => new ItemId($"item-{n:D6}")).ToArray();

string folder = Directory.CreateTempSubdirectory("profiles-").FullName;
try
{
    Console.WriteLine($"{interactions} interactions of {users} users in batches of {Batch}, {(pace == 0 ? "as fast as they go" : $"{pace} a second")}");
    Console.WriteLine("| form | interactions/s | CPU, µs an interaction | update → visible, ms: p50 | p99 | largest | read beside it, ms: p99 | largest | heap, MB | resident, MB | on disk, MB | opened again in, ms |");
    Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|");
    await MeasureAsync("embedded", services => services.AddEmbeddedProfiles(folder), () => TimeSpan.Zero, () => 0);
    Directory.Delete(folder, recursive: true);
    Directory.CreateDirectory(folder);
    using var server = RedisServer.TryStart(folder);
    if (server is null) Console.WriteLine("There is no redis-server on this machine.");
    else await MeasureAsync("Redis, server and client", services => services.AddRedisProfiles(new ConfigurationBuilder().AddInMemoryCollection([new("Redis:Configuration", $"127.0.0.1:{server.Port}")]).Build()), () => server.Cpu, () => server.Resident);
}
finally
{
    Directory.Delete(folder, recursive: true);
}

async Task MeasureAsync(string form, Action<IServiceCollection> add, Func<TimeSpan> serverCpu, Func<long> serverResident)
{
    var random = new Random(1);
    List<double> visible = [], reads = [];
    var changes = new List<ProfileChange>(Batch);
    TimeSpan elapsed, cpu;
    long heap, resident, before = GC.GetTotalMemory(forceFullCollection: true);
    await using (var provider = Provider(add))
    {
        var profiles = provider.GetRequiredService<IProfiles>();
        using var stop = new CancellationTokenSource();
        var reading = Task.Run(() => ReadAsync(profiles, reads, stop.Token));
        var clock = Stopwatch.StartNew();
        var used = Environment.CpuUsage.TotalTime + serverCpu();
        for (long next = 0; next < interactions;)
        {
            changes.Clear();
            for (; changes.Count < Batch && next < interactions; next++)
                changes.Add(new ProfileChange(next, names[random.Next(users)], new ProfileInteraction($"interactions/0/{next}", items[random.Next(items.Length)], "purchase", 1, 1_700_000_000_000 + next)));
            if (pace > 0 && TimeSpan.FromSeconds((double)next / pace) - clock.Elapsed is { Ticks: > 0 } early) await Task.Delay(early, TimeProvider.System);
            var update = Stopwatch.StartNew();
            await profiles.ApplyAsync(0, next, changes, CancellationToken.None);
            var newest = (await profiles.GetAsync(changes[^1].User, CancellationToken.None))[0];
            visible.Add(update.Elapsed.TotalMilliseconds);
            if (newest.EventId != changes[^1].Interaction!.Value.EventId) throw new InvalidOperationException("What was applied is not visible.");
        }
        (elapsed, cpu, resident) = (clock.Elapsed, Environment.CpuUsage.TotalTime + serverCpu() - used, Environment.WorkingSet + serverResident());
        heap = GC.GetTotalMemory(forceFullCollection: true) - before;
        await stop.CancelAsync();
        await reading;
        await profiles.FlushAsync(CancellationToken.None);
    }
    var opening = Stopwatch.StartNew();
    await using (var provider = Provider(add))
        if (provider.GetRequiredService<IProfiles>().NextOffset(0) != interactions || (await provider.GetRequiredService<IProfiles>().GetAsync(changes[^1].User, CancellationToken.None)).Count == 0)
            throw new InvalidOperationException("What was flushed is not there.");
    var opened = opening.Elapsed;
    long disk = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"| {form} | {interactions / elapsed.TotalSeconds:N0} | {cpu.TotalMicroseconds / interactions:F1} | {Share(visible, .5):F1} | {Share(visible, .99):F1} | {Share(visible, 1):F1} | {Share(reads, .99):F1} | {Share(reads, 1):F1} | {heap >> 20:N0} | {resident >> 20:N0} | {disk >> 20:N0} | {opened.TotalMilliseconds:F0} |"));
}

// A reader of random users, a thousand a second.
async Task ReadAsync(IProfiles profiles, List<double> milliseconds, CancellationToken stop)
{
    var random = new Random(2);
    using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
    while (!stop.IsCancellationRequested)
    {
        var read = Stopwatch.StartNew();
        await profiles.GetAsync(names[random.Next(users)], CancellationToken.None);
        milliseconds.Add(read.Elapsed.TotalMilliseconds);
        await pause.WaitForNextTickAsync(CancellationToken.None);
    }
}

static double Share(List<double> values, double share) => values.Order().ElementAt((int)(share * (values.Count - 1)));

static ServiceProvider Provider(Action<IServiceCollection> add)
{
    var services = new ServiceCollection();
    add(services);
    return services.BuildServiceProvider();
}
