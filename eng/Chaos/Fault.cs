using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.Chaos;

/// <summary>Something that goes wrong, and how it is mended.</summary>
/// <param name="Name">With what it befalls.</param>
/// <param name="Longest">How long it lasts at most.</param>
/// <param name="Queries">While it lasts, no question may be answered: it befalls what every one of them needs.</param>
internal sealed record Fault(string Name, TimeSpan Longest, bool Queries, Func<Task> BeginAsync, Func<CancellationToken, Task> EndAsync)
{
    /// <summary>All that can go wrong in this installation.</summary>
    /// <param name="longestPause">Of a process that is paused.</param>
    public static IReadOnlyList<Fault> All(Installation installation, Orchestrator orchestrator, TimeSpan longestPause)
    {
        TimeSpan moment = TimeSpan.FromSeconds(10);
        List<Fault> all = [];
        foreach (ServiceProcess service in installation.Services)
        {
            all.Add(new Fault($"kill {service.Name}", moment, false, service.KillAsync, token => orchestrator.StartAsync(service, token)));
            all.Add(Pausing(service, longestPause));
        }
        foreach (IServer server in installation.Servers)
        {
            bool queried = server is QdrantServer or RedisServer;
            all.Add(Pausing(server, server is KafkaServer ? TimeSpan.FromSeconds(20) : longestPause, queried));
            all.Add(new Fault($"kill {server.Name}", moment, queried, server.KillAsync, server.StartAsync));
        }
        all.Add(new Fault("drop every queue of rabbitmq", TimeSpan.Zero, false, async () => await installation.RabbitMq.DropQueuesAsync(), _ => Task.CompletedTask));
        foreach (var (name, proxy) in installation.Proxies)
        {
            bool queried = name is "qdrant" or "redis";
            all.Add(new Fault($"cut connections to {name}", TimeSpan.Zero, false, () => Task.FromResult(proxy.Cut()), _ => Task.CompletedTask));
            all.Add(new Fault($"refuse connections to {name}", moment, queried, () => { proxy.Refuses = true; proxy.Cut(); return Task.CompletedTask; }, _ => { proxy.Refuses = false; return Task.CompletedTask; }));
            all.Add(new Fault($"delay {name}", TimeSpan.FromSeconds(20), queried, () => { proxy.Delay = TimeSpan.FromMilliseconds(300); return Task.CompletedTask; }, _ => { proxy.Delay = TimeSpan.Zero; return Task.CompletedTask; }));
        }
        foreach (SmallDisk disk in installation.Disks) all.Add(new Fault($"fill the disk of {disk.Name}", TimeSpan.FromSeconds(20), false, disk.FillAsync, _ => { disk.Free(); return Task.CompletedTask; }));
        return all;
    }

    private static Fault Pausing(IServer process, TimeSpan longest, bool queried = false) =>
        new($"pause {process.Name}", longest, queried, () => { process.Pause(); return Task.CompletedTask; }, _ => { process.Resume(); return Task.CompletedTask; });
}
