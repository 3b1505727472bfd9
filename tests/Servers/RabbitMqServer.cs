using System.Diagnostics;
using System.Globalization;

namespace BeeFormer.Streaming.Servers;

/// <summary>The RabbitMQ of this machine (Debian's package) as a node of its own, with folders and ports of its own.</summary>
public sealed class RabbitMqServer : IServer
{
    private static readonly string? s_program = Directory.Exists("/usr/lib/rabbitmq/lib")
        ? Directory.EnumerateDirectories("/usr/lib/rabbitmq/lib", "rabbitmq_server-*").Select(folder => Path.Combine(folder, "sbin", "rabbitmq-server")).FirstOrDefault(File.Exists) : null;

    private readonly string _folder;
    private readonly Dictionary<string, string?> _environment;
    private readonly ChildProcess _process;

    public RabbitMqServer(string folder)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "plugins"), "[].");
        _environment = new Dictionary<string, string?>
        {
            ["HOME"] = folder,
            ["RABBITMQ_NODENAME"] = "rabbit@localhost",
            ["RABBITMQ_MNESIA_BASE"] = Path.Combine(folder, "data"),
            ["RABBITMQ_LOG_BASE"] = Path.Combine(folder, "log"),
            ["RABBITMQ_NODE_PORT"] = Port.ToString(CultureInfo.InvariantCulture),
            ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_DIST_PORT"] = Ports.Take().ToString(CultureInfo.InvariantCulture),
            ["ERL_EPMD_PORT"] = Ports.Take().ToString(CultureInfo.InvariantCulture),
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(folder, "plugins"),
            ["RABBITMQ_PID_FILE"] = Path.Combine(folder, "pid"),
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}",
        };
        _process = new ChildProcess(Name, s_program ?? "rabbitmq-server", [], Path.Combine(folder, "output"), _environment);
    }

    public string Name => "rabbitmq";
    public int Port { get; } = Ports.Take();
    public static string? Missing => s_program is null ? "There is no RabbitMQ: apt-get install rabbitmq-server." : null;

    public Task StartAsync(CancellationToken cancellationToken) => _process.StartAsync(async lines => lines.Any(line => line.Contains("completed with", StringComparison.Ordinal)) && await ChildProcess.ListensAsync(Port), cancellationToken);
    public Task KillAsync() => _process.KillAsync();
    public void Pause() => ChildProcess.Signal("STOP", Id);
    public void Resume() => ChildProcess.Signal("CONT", Id);

    /// <summary>Deletes every queue, whoever reads from it.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> DropQueuesAsync()
    {
        string[] queues = [.. (await ControlAsync("-q", "list_queues", "name")).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(name => name != "name")];
        foreach (string queue in queues) await ControlAsync("-q", "delete_queue", queue);
        return queues.Length;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process.Runs) Resume();
        await _process.DisposeAsync();
        // epmd, which the node started, belongs to nobody any more.
        using var stop = Process.Start(Tool("epmd", ["-kill"]));
        if (stop is not null) await stop.WaitForExitAsync();
    }

    private int Id => int.Parse(File.ReadAllText(Path.Combine(_folder, "pid")).Trim(), CultureInfo.InvariantCulture);

    private async Task<string> ControlAsync(params string[] arguments)
    {
        using var process = Process.Start(Tool(Path.Combine(Path.GetDirectoryName(s_program)!, "rabbitmqctl"), arguments))!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output;
    }

    private ProcessStartInfo Tool(string program, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (key, value) in _environment) start.Environment[key] = value;
        return start;
    }
}
