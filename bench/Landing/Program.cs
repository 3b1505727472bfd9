// From the log to durable segments: `dotnet run -c Release --project bench/Landing -- [--events N] [--partitions 1,8] [--kafka HOST:PORT] [--segments-only]`
using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Embedded;
using BeeFormer.Streaming.Ingest;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

string? Argument(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
int events = int.Parse(Argument("--events") ?? "2000000", CultureInfo.InvariantCulture);
string? kafka = Argument("--kafka");
bool[] withProfiles = args.Contains("--segments-only") ? [false] : [false, true];
foreach (int partitions in (Argument("--partitions") ?? "1,8").Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture)))
{
    string folder = Directory.CreateTempSubdirectory("landing-bench-").FullName;
    try
    {
        await RunAsync(folder, events, partitions, kafka, withProfiles);
    }
    finally
    {
        Directory.Delete(folder, recursive: true);
    }
}

static async Task RunAsync(string folder, int events, int partitions, string? kafka, bool[] withProfiles)
{
    string prefix = $"bench{Guid.NewGuid():N}-";
    using (var host = Build(folder, partitions, kafka, prefix))
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
        Console.WriteLine($"{(kafka is null ? "embedded" : "Kafka")}, {partitions} partitions, {events:N0} events of {bytes / events} bytes; appended with making them in {clock.Elapsed.TotalSeconds:F1} s");
        if (kafka is not null) await MeasureAsync("a plain consume loop", events, () => Task.Run(() => PlainConsumer.Read(kafka, prefix + Topics.Interactions, partitions, events)));
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
    foreach (bool profiles in withProfiles)
    {
        using var host = Build(folder, partitions, kafka, prefix, profiles);
        var windows = host.Services.GetRequiredService<IWindowStore>();
        using var peak = new PeakMemory();
        await MeasureAsync(profiles ? "log to durable segments and profiles" : "log to durable segments", events, async () =>
        {
            await host.StartAsync();
            while (Landed(windows, partitions) < events) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        });
        string memory = peak.Thirds();
        await host.StopAsync();
        Console.WriteLine($"    {windows.Describe().InteractionSegments} segments, {windows.Describe().Bytes / (double)events:F0} bytes an event; memory at 1/3, 2/3 and the end of it: {memory} MB");
    }
}

static long Landed(IWindowStore windows, int partitions)
{
    long landed = 0;
    for (int partition = 0; partition < partitions; partition++) landed += windows.NextOffset(Topics.Interactions, partition);
    return landed;
}

static IHost Build(string folder, int partitions, string? kafka, string prefix, bool? profiles = null)
{
    var builder = Host.CreateApplicationBuilder();
    builder.Logging.SetMinimumLevel(LogLevel.Warning);
    if (kafka is null) builder.Services.AddEmbeddedEventLog(Path.Combine(folder, "log"), new EmbeddedEventLogOptions { Partitions = partitions });
    else
    {
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Kafka:BootstrapServers"] = kafka, ["Kafka:TopicPrefix"] = prefix, ["Kafka:Topics:interactions:Partitions"] = $"{partitions}", ["Kafka:GroupProtocol"] = "consumer",
        });
        builder.Services.AddKafkaEventLog(builder.Configuration);
    }
    if (profiles == true) builder.Services.AddEmbeddedProfiles(Path.Combine(folder, "profiles"));
    else builder.Services.AddSingleton<IProfiles, NoProfiles>();
    builder.Services.AddWindowStore(Path.Combine(folder, profiles == true ? "windows-and-profiles" : "windows"));
    if (profiles is not null) builder.AddIngest();
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
