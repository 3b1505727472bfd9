// Profiles, embedded and on Redis: `dotnet run -c Release --project bench/ProfileUpdates -- [interactions] [users] [Redis configuration]`
using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

const int Batch = 4096;
int Argument(int n, int otherwise) => args.Length > n ? int.Parse(args[n], CultureInfo.InvariantCulture) : otherwise;
int interactions = Argument(0, 2_000_000), users = Argument(1, 100_000);

string folder = Directory.CreateTempSubdirectory("profiles-").FullName;
try
{
    Console.WriteLine($"{interactions} interactions of {users} users in batches of {Batch}");
    Console.WriteLine("| form | interactions/s | CPU, µs an interaction | update → visible, ms: p50 | p99 | largest | resident, MB | opened again in, ms |");
    Console.WriteLine("|---|---|---|---|---|---|---|---|");
    await MeasureAsync("embedded", services => services.AddEmbeddedProfiles(folder));
}
finally
{
    Directory.Delete(folder, recursive: true);
}

async Task MeasureAsync(string form, Action<IServiceCollection> add)
{
    var random = new Random(1);
    var names = Enumerable.Range(0, users).Select(n => new UserId($"user-{n:D9}")).ToArray();
    var items = Enumerable.Range(0, 20_000).Select(n => new ItemId($"item-{n:D6}")).ToArray();
    var visible = new List<double>();
    var changes = new List<ProfileChange>(Batch);
    TimeSpan elapsed, cpu;
    long resident;
    await using (var provider = Provider(add))
    {
        var profiles = provider.GetRequiredService<IProfiles>();
        long next = profiles.NextOffset(0);
        var clock = Stopwatch.StartNew();
        var before = Environment.CpuUsage.TotalTime;
        for (long end = next + interactions; next < end;)
        {
            changes.Clear();
            for (; changes.Count < Batch && next < end; next++)
                changes.Add(new ProfileChange(next, names[random.Next(users)], new ProfileInteraction($"interactions/0/{next}", items[random.Next(items.Length)], "purchase", 1, 1_700_000_000_000 + next)));
            var update = Stopwatch.StartNew();
            await profiles.ApplyAsync(0, next, changes, CancellationToken.None);
            var newest = (await profiles.GetAsync(changes[^1].User, CancellationToken.None))[0];
            visible.Add(update.Elapsed.TotalMilliseconds);
            if (newest.EventId != changes[^1].Interaction!.Value.EventId) throw new InvalidOperationException("What was applied is not visible.");
        }
        (elapsed, cpu) = (clock.Elapsed, Environment.CpuUsage.TotalTime - before);
        resident = Environment.WorkingSet;
        await profiles.FlushAsync(CancellationToken.None);
    }
    var opening = Stopwatch.StartNew();
    await using (var provider = Provider(add))
        if (provider.GetRequiredService<IProfiles>().NextOffset(0) < interactions || (await provider.GetRequiredService<IProfiles>().GetAsync(changes[^1].User, CancellationToken.None)).Count == 0)
            throw new InvalidOperationException("What was flushed is not there.");
    var opened = opening.Elapsed;
    visible.Sort();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"| {form} | {interactions / elapsed.TotalSeconds:N0} | {cpu.TotalMicroseconds / interactions:F1} | {visible[visible.Count / 2]:F1} | {visible[visible.Count * 99 / 100]:F1} | {visible[^1]:F1} | {resident >> 20:N0} | {opened.TotalMilliseconds:F0} |"));
}

static ServiceProvider Provider(Action<IServiceCollection> add)
{
    var services = new ServiceCollection();
    add(services);
    return services.BuildServiceProvider();
}
