using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using BeeFormer.Streaming.Profiles.Redis;
using BeeFormer.Streaming.Servers;
using StackExchange.Redis;

namespace BeeFormer.Streaming.Profiles.Tests.Redis;

/// <summary>A redis-server of this machine in a process of its own, on a free port, whose every write is on disk before it answers.</summary>
public class RedisServer : IAsyncLifetime
{
    protected string Folder { get; } = Directory.CreateTempSubdirectory("beeformer-redis-").FullName;
    private readonly List<ConnectionMultiplexer> _connections = [];
    private Process? _process;
    private int _prefixes;

    public int Port { get; private set; }

    protected virtual string[] Settings => [];

    public async ValueTask InitializeAsync()
    {
        if (Program is null) return; // each test says so
        Port = Ports.Take();
        await StartAsync();
    }

    /// <summary>Keys of another test are none of this one's.</summary>
    public string NextPrefix() => $"test-{Interlocked.Increment(ref _prefixes)}";

    /// <summary>As a process of its own would reach it.</summary>
    /// <param name="port">Of something between; 0: the server itself.</param>
    public ConnectionMultiplexer Connect(int port = 0)
    {
        if (Program is null) SkipOrFail("There is no redis-server on this machine (Debian: apt-get install redis-server)");
        var connection = ConnectionMultiplexer.Connect(Options($"127.0.0.1:{(port == 0 ? Port : port)},allowAdmin=true"));
        _connections.Add(connection);
        return connection;
    }

    internal RedisProfiles Open(ProfilesOptions options, ConnectionMultiplexer? connection = null) => new(Task.FromResult<IConnectionMultiplexer>(connection ?? Connect()), options, new RedisCalls($"127.0.0.1:{Port}", TimeProvider.System));

    /// <summary>kill -9.</summary>
    public void Kill() => _process!.Kill();

    public async Task StartAsync()
    {
        if (_process is not null) await _process.WaitForExitAsync();
        var start = new ProcessStartInfo(Program!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", Folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always", .. Settings]) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (int wait = 0; wait < 1000; wait++)
        {
            if (_process.HasExited) throw new InvalidOperationException($"redis-server ended: {await _process.StandardError.ReadToEndAsync()}");
            if (await IsReadyAsync()) return;
            await pause.WaitForNextTickAsync();
        }
        throw new InvalidOperationException("redis-server is not ready");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections) await connection.DisposeAsync();
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private static string? Program { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "redis-server")).FirstOrDefault(File.Exists);

    private static ConfigurationOptions Options(string text)
    {
        var options = RedisProfilesRegistration.Parse(text);
        options.HeartbeatInterval = TimeSpan.FromMilliseconds(50); // looks for the server again sooner
        options.ReconnectRetryPolicy = new LinearRetry(50);
        return options;
    }

    // It listens before it has read its data.
    private async Task<bool> IsReadyAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port);
            var stream = client.GetStream();
            await stream.WriteAsync("PING\r\n"u8.ToArray());
            var answer = new byte[64];
            int read = await stream.ReadAsync(answer);
            return answer.AsSpan(0, read).StartsWith("+PONG"u8);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }

    private static void SkipOrFail(string why)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail(why);
        Assert.Skip(why);
    }
}
