using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.Deployment.Tests;

/// <summary>The broker of the deployment, on ports of this machine: its own configuration and scripts, with the jars beside the repository or under <c>BEEFORMER_KAFKA</c>'s folder.</summary>
public sealed class DeployedKafka : IAsyncLifetime
{
    /// <summary>The image's scripts that ours call, and what they run.</summary>
    private static readonly Dictionary<string, string> s_programs = new()
    {
        ["kafka-storage.sh"] = "kafka.tools.StorageTool", ["kafka-server-start.sh"] = "kafka.Kafka", ["kafka-configs.sh"] = "kafka.admin.ConfigCommand", ["kafka-acls.sh"] = "org.apache.kafka.tools.AclCommand",
    };

    private readonly MadeSecrets _secrets = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-kafka-").FullName;
    private Process? _broker;
    private string? _missing;
    private int _port;

    /// <summary>Skips the test where there is no broker.</summary>
    public string Address
    {
        get
        {
            if (_missing is not null) Repository.SkipOrFail(_missing);
            return string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}");
        }
    }

    public string PasswordOf(string user) => _secrets.Read($"kafka-{user}");

    public async ValueTask InitializeAsync()
    {
        if (Jars() is not { } jars)
        {
            _missing = "There is no Kafka beside the repository, and BEEFORMER_KAFKA names no script that starts one.";
            return;
        }
        await _secrets.InitializeAsync();
        int[] ports = [Ports.Take(), Ports.Take(), Ports.Take()];
        _port = ports[0];
        Directory.CreateDirectory(At("bin"));
        foreach (var (script, program) in s_programs)
            Executable($"bin/{script}", $"#!/bin/sh\nexec java @'{jars}/java.options' -Xmx256m -Djava.io.tmpdir='{_folder}' -cp '{jars}/libs/*' {program} \"$@\"\n");
        foreach (string script in (string[])["start", "setup"]) Executable(script, Repository.Read("infra", "kafka", script));
        await File.WriteAllTextAsync(At("server.properties"), Repository.Read("infra", "kafka", "server.properties")
            .Replace("kafka:9092", Address, StringComparison.Ordinal).Replace("CLIENTS://:9092", $"CLIENTS://{Address}", StringComparison.Ordinal)
            .Replace(":9093", string.Create(CultureInfo.InvariantCulture, $":{ports[1]}"), StringComparison.Ordinal).Replace(":9094", string.Create(CultureInfo.InvariantCulture, $":{ports[2]}"), StringComparison.Ordinal)
            .Replace("/run/secrets", _secrets.Folder, StringComparison.Ordinal).Replace("/var/lib/kafka/data", At("data"), StringComparison.Ordinal)
            // Small, and quick to start.
            + "offsets.topic.num.partitions=2\nnum.network.threads=2\nnum.io.threads=2\n");
        try
        {
            _broker = Start("start");
        }
        catch (System.ComponentModel.Win32Exception absent)
        {
            _missing = $"The broker needs bash and Java (Debian's openjdk-17-jre-headless): {absent.Message}";
            return;
        }
        await UntilItListensAsync(_broker);
        await SetUpAsync();
    }

    /// <summary>As an operator does it: the file away, the scripts again.</summary>
    public async Task ChangePasswordAsync(string user)
    {
        File.Delete(_secrets.At($"kafka-{user}"));
        await _secrets.MakeAsync();
        await SetUpAsync();
    }

    private async Task SetUpAsync()
    {
        using var setup = Start("setup");
        string[] said = await Task.WhenAll(setup.StandardOutput.ReadToEndAsync(), setup.StandardError.ReadToEndAsync());
        await setup.WaitForExitAsync();
        Assert.True(setup.ExitCode == 0, string.Concat(said));
    }

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
        {
            _broker.Kill(entireProcessTree: true);
            await _broker.WaitForExitAsync();
            _broker.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
        await _secrets.DisposeAsync();
    }

    private string At(string file) => Path.Combine(_folder, file);

    private void Executable(string file, string text)
    {
        File.WriteAllText(At(file), text);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(At(file), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private Process Start(string script)
    {
        var start = new ProcessStartInfo("bash", [At(script)]) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KAFKA_HOME"] = _folder;
        start.Environment["SECRETS"] = _secrets.Folder;
        start.Environment["BOOTSTRAP"] = Address;
        return Process.Start(start)!;
    }

    private async Task UntilItListensAsync(Process broker)
    {
        var said = new System.Collections.Concurrent.ConcurrentQueue<string?>();
        broker.OutputDataReceived += (_, line) => said.Enqueue(line.Data);
        broker.ErrorDataReceived += (_, line) => said.Enqueue(line.Data);
        broker.BeginOutputReadLine();
        broker.BeginErrorReadLine();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (int wait = 0; wait < 1200; wait++)
        {
            Assert.False(broker.HasExited, $"The broker ended: {string.Join('\n', said)}");
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, _port);
                return;
            }
            catch (SocketException)
            {
                await pause.WaitForNextTickAsync();
            }
        }
        Assert.Fail($"The broker does not listen: {string.Join('\n', said)}");
    }

    private static string? Jars()
    {
        string script = Environment.GetEnvironmentVariable("BEEFORMER_KAFKA") is { Length: > 0 } named ? named : Repository.PathOf("..", "shared", "servers", "kafka", "kafka-server");
        string folder = Path.GetDirectoryName(Path.GetFullPath(script))!;
        return Directory.Exists(Path.Combine(folder, "libs")) ? folder : null;
    }
}
