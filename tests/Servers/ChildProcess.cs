using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace BeeFormer.Streaming.Servers;

/// <summary>A process of ours on this machine: its output goes to a file, and it may be paused, killed and started again with the same arguments.</summary>
public sealed class ChildProcess(string name, string program, IReadOnlyList<string> arguments, string log, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null) : IAsyncDisposable
{
    /// <summary>A machine that tests other things beside it is slow, and trainings give way to all else; what is not ready then never will be.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(12);

    private Process? _process;
    private volatile bool _wanted;

    public string Name => name;
    public bool Runs
    {
        get
        {
            try
            {
                return _process is { HasExited: false };
            }
            catch (InvalidOperationException)
            {
                return false; // it is being started anew just now
            }
        }
    }

    /// <summary>It was started and has ended, and nobody here stopped or killed it.</summary>
    public bool EndedByItself => _wanted && !Runs;

    /// <summary>Bytes of memory; null: it does not run.</summary>
    public long? Resident
    {
        get
        {
            try
            {
                if (!Runs) return null;
                _process!.Refresh();
                return _process.WorkingSet64;
            }
            catch (InvalidOperationException)
            {
                return null; // it ended just now
            }
        }
    }

    public int Id => _process?.Id ?? throw new InvalidOperationException($"{name} was not started.");

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <param name="ready">Asked again and again with the lines that came so far.</param>
    public async Task StartAsync(Func<IReadOnlyList<string>, Task<bool>> ready, CancellationToken cancellationToken)
    {
        if (Runs) return;
        _process?.Dispose();
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = folder ?? "" };
        foreach (var (key, value) in environment ?? new Dictionary<string, string?>()) start.Environment[key] = value;
        List<string> lines = [];
        void Heard(object sender, DataReceivedEventArgs said)
        {
            if (said.Data is null) return;
            lock (lines)
            {
                if (lines.Count < 10_000) lines.Add(said.Data);
                try
                {
                    File.AppendAllText(log, said.Data + "\n");
                }
                catch (DirectoryNotFoundException)
                {
                    // Whoever started it has deleted its folder, and reads its log no more.
                }
            }
        }
        File.AppendAllText(log, $"--- {name}: {program} {string.Join(' ', arguments)}\n");
        _wanted = true;
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        _process.OutputDataReceived += Heard;
        _process.ErrorDataReceived += Heard;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        IReadOnlyList<string> Said() { lock (lines) return [.. lines]; }
        await UntilAsync(async () =>
        {
            if (!Runs)
            {
                await HeardOutAsync(_process, cancellationToken);
                throw new InvalidOperationException($"{name} ended with {_process.ExitCode}: {string.Join('\n', Said().TakeLast(20))}");
            }
            return await ready(Said());
        }, $"{name} to be ready; the last it said: {string.Join('\n', Said().TakeLast(5))}", cancellationToken);
    }

    /// <summary>kill -9, and everything that it started.</summary>
    public async Task KillAsync()
    {
        _wanted = false;
        if (!Runs) return;
        Signal("CONT"); // or a paused one would not be waited for
        _process!.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        _wanted = false;
        Signal("TERM");
        using var patience = new CancellationTokenSource(s_patience);
        await _process!.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public void Pause() => Signal("STOP");
    public void Resume() => Signal("CONT");

    private void Signal(string signal)
    {
        if (Runs) Signal(signal, Id);
    }

    public static void Signal(string signal, int process)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill", ["-" + signal, process.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardError = true });
        kill!.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process?.Dispose();
    }

    // It has ended; what it said last may still be in the pipes. One that it started itself may keep them open.
    private static async Task HeardOutAsync(Process ended, CancellationToken cancellationToken)
    {
        try
        {
            await ended.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(10), cancellationToken);
        }
        catch (TimeoutException)
        {
        }
    }

    /// <summary>Looks again and again.</summary>
    /// <exception cref="TimeoutException">It never came; names <paramref name="what"/>.</exception>
    public static async Task UntilAsync(Func<Task<bool>> holds, string what, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(s_patience);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        try
        {
            while (!await holds()) await pause.WaitForNextTickAsync(either.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            throw new TimeoutException($"Waited {s_patience.TotalMinutes:0} min for {what}");
        }
    }

    public static async Task<bool> ListensAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public static bool IsInstalled(string program) =>
        File.Exists(program) || (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(directory => File.Exists(Path.Combine(directory, program)));
}
