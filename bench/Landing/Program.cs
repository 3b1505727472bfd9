// From the log to durable segments: `dotnet run -c Release --project bench/Landing -- [events] [partitions …]`
using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Embedded;
using BeeFormer.Streaming.Ingest;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

int events = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 2_000_000;
int[] partitions = args.Length > 1 ? [.. args.Skip(1).Select(n => int.Parse(n, CultureInfo.InvariantCulture))] : [1, 8];
foreach (int count in partitions)
{
    string folder = Directory.CreateTempSubdirectory("ingest-bench-").FullName;
    try
    {
        await RunAsync(folder, events, count);
    }
    finally
    {
        Directory.Delete(folder, recursive: true);
    }
}

static async Task RunAsync(string folder, int events, int partitions)
{
    using (var host = Build(folder, partitions, consume: false))
    {
        var log = host.Services.GetRequiredService<IEventLog>();
        var stream = new EventStream(1);
        var clock = Stopwatch.StartNew();
        long bytes = 0;
        for (int sent = 0; sent < events;)
        {
            var records = stream.Next(Math.Min(20_000, events - sent));
            foreach (var record in records) bytes += record.Value!.Length;
            await log.AppendAsync(Topics.Interactions, records, default);
            sent += records.Length;
        }
        Console.WriteLine($"{partitions} partitions, {events:N0} events of {bytes / events} bytes; appended with making them in {clock.Elapsed.TotalSeconds:F1} s");

        await MeasureAsync("read from the log", events, async () =>
        {
            await using var subscription = log.Subscribe(Topics.Interactions, "bench", _ => 0);
            for (int read = 0; read < events;)
            {
                using var batch = await subscription.ReadAsync(4096, default);
                read += batch.Count;
            }
        });
    }
    foreach (bool profiles in new[] { false, true })
    {
        using var host = Build(folder, partitions, consume: true, profiles);
        var windows = host.Services.GetRequiredService<IWindowStore>();
        await MeasureAsync(profiles ? "log to durable segments and profiles" : "log to durable segments", events, async () =>
        {
            await host.StartAsync();
            while (Landed(windows, partitions) < events) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            await host.StopAsync();
        });
        Console.WriteLine($"  {windows.Describe().InteractionSegments} segments, {windows.Describe().Bytes / (double)events:F0} bytes an event; peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB");
    }
}

static long Landed(IWindowStore windows, int partitions)
{
    long landed = 0;
    for (int partition = 0; partition < partitions; partition++) landed += windows.NextOffset(Topics.Interactions, partition);
    return landed;
}

static IHost Build(string folder, int partitions, bool consume, bool profiles = false)
{
    var builder = Host.CreateApplicationBuilder();
    builder.Logging.SetMinimumLevel(LogLevel.Warning);
    builder.Services.AddEmbeddedEventLog(Path.Combine(folder, "log"), new EmbeddedEventLogOptions { Partitions = partitions });
    if (profiles) builder.Services.AddEmbeddedProfiles(Path.Combine(folder, "profiles"));
    else builder.Services.AddSingleton<IProfiles, NoProfiles>();
    builder.Services.AddWindowStore(Path.Combine(folder, profiles ? "windows-and-profiles" : "windows"));
    if (consume) builder.AddIngest();
    return builder.Build();
}

static async Task MeasureAsync(string what, int events, Func<Task> run)
{
    GC.Collect();
    long allocated = GC.GetTotalAllocatedBytes(precise: true);
    var cpu = Environment.CpuUsage.TotalTime;
    var clock = Stopwatch.StartNew();
    await run();
    double seconds = clock.Elapsed.TotalSeconds;
    Console.WriteLine($"  {what}: {events / seconds:N0} events/s, {(Environment.CpuUsage.TotalTime - cpu).TotalSeconds / events * 1e6:F2} us of CPU and {(GC.GetTotalAllocatedBytes(precise: true) - allocated) / (double)events:F0} bytes allocated an event");
}

/// <summary>Leaves the cost of profiles out.</summary>
internal sealed class NoProfiles : IProfiles
{
    public long NextOffset(int partition) => long.MaxValue;
    public ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    public ValueTask<IReadOnlyList<ProfileInteraction>> GetAsync(UserId user, CancellationToken cancellationToken) => new([]);
    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
