using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace BeeFormer.Streaming.ProfileUpdates;

/// <summary>The redis-server of this machine, on a free port, as it is run where data should stay: appended to a file that is flushed every second.</summary>
internal sealed class RedisServer : IDisposable
{
    private readonly Process _process;

    private RedisServer(string program, string folder)
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        var start = new ProcessStartInfo(program);
        foreach (string argument in (string[])["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes", "--logfile", "redis.log"]) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        while (!_process.HasExited && !Listens()) Thread.Yield();
    }

    public int Port { get; }

    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public long Resident
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <returns>Null: there is none on this machine.</returns>
    public static RedisServer? TryStart(string folder) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(directory => Path.Combine(directory, "redis-server")).FirstOrDefault(File.Exists) is { } program ? new RedisServer(program, folder) : null;

    private bool Listens()
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
