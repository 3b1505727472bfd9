using System.Diagnostics;
using System.Text;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.Client.Tests;

/// <summary><c>beeformer serve</c> on a data folder of its own, as a process that can be killed and started again at the same address.</summary>
internal sealed class LiveServer : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("client-live-").FullName;
    private readonly int _port = Ports.Take();
    private Process? _process;

    public Uri Address => new($"http://127.0.0.1:{_port}");

    /// <summary>Patient: where many tests share few processors, an answer may take long.</summary>
    public BeeFormerClient Client() => new(new BeeFormerClientOptions { Server = Address, AttemptTimeout = TimeSpan.FromMinutes(2), Timeout = TimeSpan.FromMinutes(5), Retries = 100 });

    public async Task StartAsync()
    {
        _process = Process.Start(Command("serve", "--data", _data, "--port", $"{_port}"))!;
        var said = new StringBuilder();
        DataReceivedEventHandler note = (_, line) =>
        {
            lock (said) said.AppendLine(line.Data);
        };
        _process.OutputDataReceived += note;
        _process.ErrorDataReceived += note;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var http = new HttpClient { BaseAddress = Address };
        await Patiently.UntilAsync(async () =>
        {
            Assert.False(_process.HasExited, $"The server ended: {Said()}");
            try
            {
                using var ready = await http.GetAsync("/readyz", Patiently.Token);
                return ready.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, () => $"The server should be ready. It said: {Said()}");

        string Said()
        {
            lock (said) return said.ToString();
        }
    }

    public async Task KillAsync()
    {
        if (_process is null) return;
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _process = null;
    }

    /// <summary>Distinct interactions that have landed.</summary>
    public async Task<int> CountAsync()
    {
        var (code, output) = await RunAsync(Command("windows", "count", "--data", _data));
        Assert.True(code == 0, output);
        return int.Parse(output.Trim(), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <returns>Exit code and standard output, or all that was said where it failed.</returns>
    public static async Task<(int Code, string Output)> RunAsync(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Patiently.Token);
        var error = process.StandardError.ReadToEndAsync(Patiently.Token);
        try
        {
            await process.WaitForExitAsync(Patiently.Token);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
        return (process.ExitCode, process.ExitCode == 0 ? await output : $"{await output}\n{await error}");
    }

    public static string DotNet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet";

    private static ProcessStartInfo Command(params string[] arguments)
    {
        var start = new ProcessStartInfo(DotNet, [Path.Combine(AppContext.BaseDirectory, "beeformer.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["Trainer__EveryInteractions"], start.Environment["Trainer__Every"]) = ("0", "00:00:00"); // nothing here is about trainings that nobody asked for
        return start;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_data, recursive: true);
    }
}

/// <summary>One server for all tests that do not kill it.</summary>
public sealed class LiveFixture : IAsyncLifetime
{
    internal LiveServer Server { get; } = new();

    public async ValueTask InitializeAsync() => await Server.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

[CollectionDefinition("Live")]
public sealed class LiveTestGroup : ICollectionFixture<LiveFixture>;
