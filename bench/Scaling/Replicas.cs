using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Ingest;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.Servers;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Scaling;

/// <summary>Ingest by partitions and replicas, from a Kafka of this machine to segments in one folder. Replicas are hosts of this process, each a member of the group: the cores are the same for all.</summary>
internal static class Replicas
{
    public static async Task MeasureAsync(string folder, int events)
    {
        if (KafkaServer.Missing is { } missing)
        {
            Console.WriteLine(missing);
            return;
        }
        await using var kafka = new KafkaServer(Path.Combine(folder, "kafka"));
        await kafka.StartAsync(default);
        Console.WriteLine($"{events:N0} events, {Environment.ProcessorCount} cores that the broker shares");
        Console.WriteLine("| partitions | replicas | events/s | against one partition, one replica | CPU, µs an event |");
        Console.WriteLine("|---|---|---|---|---|");
        double first = 0;
        foreach (int partitions in (int[])[1, 2, 4, 8])
        {
            string prefix = $"scaling-{partitions}-";
            await FillAsync(kafka.Address, prefix, partitions, events);
            foreach (int replicas in (int[])[1, 2])
            {
                (double rate, double cpu) = await LandAsync(kafka.Address, prefix, Path.Combine(folder, $"windows-{partitions}-{replicas}"), partitions, replicas, events);
                if (first == 0) first = rate;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {partitions} | {replicas} | {rate:N0} | {rate / first:F2} | {cpu:F2} |"));
            }
        }
    }

    private static async Task FillAsync(string address, string prefix, int partitions, int events)
    {
        using IHost host = Build(address, prefix, partitions, windows: null);
        var log = host.Services.GetRequiredService<IEventLog>();
        var stream = new EventStream(1);
        for (int sent = 0; sent < events; sent += 20_000) await log.AppendAsync(Topics.Interactions, stream.Next(Math.Min(20_000, events - sent)), default);
    }

    private static async Task<(double Rate, double Cpu)> LandAsync(string address, string prefix, string windows, int partitions, int replicas, int events)
    {
        IHost[] hosts = [.. Enumerable.Range(0, replicas).Select(_ => Build(address, prefix, partitions, windows))];
        var landed = hosts[0].Services.GetRequiredService<IWindowStore>();
        await Task.WhenAll(hosts.Select(host => host.StartAsync()));
        // From the first segment on: what joining the group takes is no throughput.
        while (Landed(landed) == 0) await Pause();
        long before = Landed(landed);
        var clock = Stopwatch.StartNew();
        var cpu = Environment.CpuUsage.TotalTime;
        while (Landed(landed) < events) await Pause();
        double seconds = clock.Elapsed.TotalSeconds, used = (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds;
        await Task.WhenAll(hosts.Select(host => host.StopAsync()));
        foreach (IHost host in hosts) host.Dispose();
        return ((events - before) / seconds, used / (events - before));

        long Landed(IWindowStore store) => store.NextOffsets(Topics.Interactions).Values.Sum();
        static Task Pause() => Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
    }

    /// <param name="windows">Null: a host that only appends.</param>
    private static IHost Build(string address, string prefix, int partitions, string? windows)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Kafka:BootstrapServers"] = address, ["Kafka:TopicPrefix"] = prefix, ["Kafka:Topics:interactions:Partitions"] = $"{partitions}", ["Kafka:GroupProtocol"] = "consumer",
            ["Ingest:SegmentEvents"] = "20000",
        });
        builder.Services.AddKafkaEventLog(builder.Configuration);
        builder.Services.AddSingleton<IProfiles, NoProfiles>();
        if (windows is null) return builder.Build();
        builder.Services.AddWindowStore(windows);
        builder.AddIngest();
        return builder.Build();
    }
}
