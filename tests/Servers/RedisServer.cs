using System.Globalization;

namespace BeeFormer.Streaming.Servers;

/// <summary>The redis-server of this machine, whose every write is on disk before it answers.</summary>
public sealed class RedisServer : IServer
{
    private readonly int _port = Ports.Take();
    private readonly ChildProcess _process;

    public RedisServer(string folder)
    {
        Directory.CreateDirectory(folder);
        _process = new ChildProcess(Name, "redis-server",
            ["--port", _port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always"], Path.Combine(folder, "log"));
    }

    public string Name => "redis";
    public int Port => _port;
    public static string? Missing => ChildProcess.IsInstalled("redis-server") ? null : "There is no redis-server: apt-get install redis-server.";

    public Task StartAsync(CancellationToken cancellationToken) => _process.StartAsync(lines => Task.FromResult(lines.Any(line => line.Contains("Ready to accept connections", StringComparison.Ordinal))), cancellationToken);
    public Task KillAsync() => _process.KillAsync();
    public void Pause() => _process.Pause();
    public void Resume() => _process.Resume();
    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
