using System.Diagnostics;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

/// <summary>
/// A real broker of its own on this machine, started by the script <c>kafka-server</c> that lies beside the repository or that BEEFORMER_KAFKA names.
/// Where it or Java is missing, tests are skipped; CI must have both.
/// </summary>
public sealed class KafkaBroker : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-kafka-").FullName;
    private readonly string? _script = FindScript();
    private string? _missing;
    private string? _address;

    /// <summary>Where clients connect; skips the test where there is no broker.</summary>
    public string Address
    {
        get
        {
            if (_address is not null) return _address;
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", _missing);
            Assert.Skip(_missing!);
            return "";
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (_script is null) _missing = "There is no Kafka beside the repository, and BEEFORMER_KAFKA names no script that starts one.";
        else if (!HasJava()) _missing = "Kafka needs Java: apt-get install openjdk-17-jre-headless.";
        else await StartAsync();
    }

    /// <summary>Also after a stop or a kill: the same data, the same address.</summary>
    public async Task StartAsync() => _address = (await RunAsync("start", _folder, "0")).Trim();

    /// <summary>In good order.</summary>
    public Task StopAsync() => RunAsync("stop", _folder);

    /// <summary>As a crash.</summary>
    public Task KillAsync() => RunAsync("kill", _folder);

    /// <summary>It neither answers nor hears anything until it goes on.</summary>
    public void Pause() => Signal("STOP");

    public void Resume() => Signal("CONT");

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", File.ReadAllText(Path.Combine(_folder, "kafka.pid")).Trim()]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        if (_address is not null) await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(_script!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KAFKA_START_TIMEOUT"] = "120";
        using var process = Process.Start(start)!;
        // The broker outlives the script and may hold its pipes: what counts is the script's end, not theirs.
        string? line = null, errors = null;
        process.OutputDataReceived += (_, data) => line ??= data.Data;
        process.ErrorDataReceived += (_, data) => errors += data.Data + "\n";
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"kafka-server {arguments[0]} failed: {errors}");
        return line ?? "";
    }

    private static bool HasJava() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "java")));

    private static string? FindScript()
    {
        if (Environment.GetEnvironmentVariable("BEEFORMER_KAFKA") is { Length: > 0 } named) return named;
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "BeeFormer.Streaming.sln"))) continue;
            string script = Path.Combine(folder.FullName, "..", "shared", "servers", "kafka", "kafka-server");
            return File.Exists(script) ? script : null;
        }
        return null;
    }
}
