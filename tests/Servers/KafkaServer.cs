using System.Diagnostics;
using System.Globalization;

namespace BeeFormer.Streaming.Servers;

/// <summary>A real broker, started by the script <c>kafka-server</c> that lies beside the repository or that BEEFORMER_KAFKA names.</summary>
public sealed class KafkaServer(string folder) : IServer
{
    public string Name => "kafka";
    public string Address { get; private set; } = "";

    /// <returns>Null: it can run here.</returns>
    public static string? Missing =>
        Script is null ? "There is no Kafka beside the repository, and BEEFORMER_KAFKA names no script that starts one."
        : !ChildProcess.IsInstalled("java") ? "Kafka needs Java: apt-get install openjdk-17-jre-headless." : null;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        Address = await RunAsync("start", folder, "0");
    }

    public Task KillAsync() => RunAsync("kill", folder);
    public void Pause() => ChildProcess.Signal("STOP", Id);
    public void Resume() => ChildProcess.Signal("CONT", Id);

    public async ValueTask DisposeAsync()
    {
        if (Address.Length == 0) return;
        Resume();
        await KillAsync();
    }

    private int Id => int.Parse(File.ReadAllText(Path.Combine(folder, "kafka.pid")), CultureInfo.InvariantCulture);

    // The broker outlives the script and holds its pipes: what counts is the script's end, not theirs.
    private static async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Script!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KAFKA_START_TIMEOUT"] = "180";
        using var process = Process.Start(start)!;
        string? line = null, errors = null;
        process.OutputDataReceived += (_, said) => line ??= said.Data;
        process.ErrorDataReceived += (_, said) => errors += said.Data + "\n";
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"kafka-server {arguments[0]} failed: {errors}");
        return line?.Trim() ?? "";
    }

    private static string? Script { get; } = FindScript();

    private static string? FindScript()
    {
        if (Environment.GetEnvironmentVariable("BEEFORMER_KAFKA") is { Length: > 0 } named) return named;
        string script = Path.Combine(Checkout.Root, "..", "shared", "servers", "kafka", "kafka-server");
        return File.Exists(script) ? script : null;
    }
}
