using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.Chaos;

/// <summary>Something that goes wrong, and how it is mended.</summary>
/// <param name="Name">With what it befalls.</param>
/// <param name="Longest">How long it lasts at most.</param>
/// <param name="Away">What does not answer while it lasts; null: all does, if slowly.</param>
/// <param name="StartedAtEnd">The end starts a service of ours, which takes its time.</param>
internal sealed record Fault(string Name, TimeSpan Longest, string? Away, bool StartedAtEnd, Func<Task> BeginAsync, Func<CancellationToken, Task> EndAsync)
{
    /// <summary>All that can go wrong in this installation.</summary>
    /// <param name="longestPause">Of a process that is paused.</param>
    public static IReadOnlyList<Fault> All(Installation installation, Orchestrator orchestrator, TimeSpan longestPause)
    {
        TimeSpan moment = TimeSpan.FromSeconds(10);
        List<Fault> all = [];
        foreach (ServiceProcess service in installation.Services)
        {
            all.Add(new Fault($"kill {service.Name}", moment, service.Name, true, service.KillAsync, token => orchestrator.StartAsync(service, token)));
            all.Add(Pausing(service, longestPause));
        }
        foreach (IServer server in installation.Servers)
        {
            all.Add(Pausing(server, server is KafkaServer ? TimeSpan.FromSeconds(20) : longestPause));
            all.Add(new Fault($"kill {server.Name}", moment, server.Name, false, server.KillAsync, server.StartAsync));
        }
        all.Add(new Fault("drop every queue of rabbitmq", TimeSpan.Zero, null, false, async () => await installation.RabbitMq.DropQueuesAsync(), _ => Task.CompletedTask));
        foreach (var (name, proxy) in installation.Proxies)
        {
            all.Add(new Fault($"cut connections to {name}", TimeSpan.Zero, null, false, () => Task.FromResult(proxy.Cut()), _ => Task.CompletedTask));
            all.Add(new Fault($"refuse connections to {name}", moment, name, false, () => { proxy.Refuses = true; proxy.Cut(); return Task.CompletedTask; }, _ => { proxy.Refuses = false; return Task.CompletedTask; }));
            all.Add(new Fault($"delay {name}", TimeSpan.FromSeconds(20), null, false, () => { proxy.Delay = TimeSpan.FromMilliseconds(300); return Task.CompletedTask; }, _ => { proxy.Delay = TimeSpan.Zero; return Task.CompletedTask; }));
        }
        foreach (SmallDisk disk in installation.Disks) all.Add(new Fault($"fill the disk of {disk.Name}", TimeSpan.FromSeconds(20), null, false, disk.FillAsync, _ => { disk.Free(); return Task.CompletedTask; }));
        return all;
    }

    private static Fault Pausing(IServer process, TimeSpan longest) =>
        new($"pause {process.Name}", longest, process.Name, false, () => { process.Pause(); return Task.CompletedTask; }, _ => { process.Resume(); return Task.CompletedTask; });
}
