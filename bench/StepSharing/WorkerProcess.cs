using System.Diagnostics;
using BeeFormer.Streaming.Trainer;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.StepSharing;

/// <summary>A worker in a process of its own on this machine, with one thread.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private readonly Process _process;

    public WorkerProcess()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(WorkerProcess).Assembly.Location);
        start.ArgumentList.Add("--work");
        _process = Process.Start(start)!;
        Address = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The worker has not started.");
    }

    public string Address { get; }

    public TimeSpan Busy => _process.TotalProcessorTime;

    public long PeakMemory
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64;
        }
    }

    /// <summary>What the child does, until its input ends.</summary>
    public static async Task WorkAsync()
    {
        await using var server = new TrainingWorkerServer(Options.Create(new WorkersOptions { Listen = "http://127.0.0.1:0" }), Options.Create(new TrainerOptions { Threads = 1 }), new WorkerIdentity(), TimeProvider.System, NullLoggerFactory.Instance);
        await server.StartAsync(default);
        Console.WriteLine(server.Address);
        await Console.In.ReadToEndAsync();
        await server.StopAsync(default);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
