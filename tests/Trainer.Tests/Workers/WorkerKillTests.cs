using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>A worker in a process of its own is killed (SIGKILL) in the middle of a step.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class WorkerKillTests : IDisposable
{
    private const string FileVariable = "BEEFORMER_KILLED_WORKER";
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    /// <summary>Runs in the process that is killed.</summary>
    [Fact]
    public async Task Works_until_it_is_killed()
    {
        string? file = Environment.GetEnvironmentVariable(FileVariable);
        if (file is null) Assert.Skip("runs only as the child of another test");
        var options = new WorkersOptions { Listen = "http://127.0.0.1:0" };
        await using var server = new TrainingWorkerServer(Options.Create(options), Options.Create(new TrainerOptions { Threads = 1 }), new WorkerIdentity(), TimeProvider.System, NullLoggerFactory.Instance);
        await server.StartAsync(TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file + ".new", server.Address!.ToString(), TestContext.Current.CancellationToken);
        File.Move(file + ".new", file, overwrite: true);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_killed_between_the_passes_or_at_work_changes_nothing()
    {
        using Process first = Start();
        string address = await AddressAsync(first);
        await using LocalWorker other = await LocalWorker.StartAsync();
        using var training = new SpreadTraining(new WorkersOptions { Endpoints = [address, other.Address] }, graphBytes: 1 << 20);
        await training.JoinAsync();
        training.Step(0);
        Assert.Equal(2, training.Workers.Ready.Count);
        training.Step(1, first.Kill);
        training.Step(2);
        await first.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(137, first.ExitCode); // 128 + SIGKILL
        // Others may have done all of a step before it was asked for its part. It did not take the last weights.
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (training.Workers.Ready.Count > 1) await look.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        Assert.Single(training.Workers.Ready);
        Assert.Equal(SpreadTraining.Alone(2, 3), training.Weights);
    }

    private Process Start()
    {
        // This test assembly is the child.
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(WorkerKillTests).Assembly.Location);
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"{typeof(WorkerKillTests).FullName}.{nameof(Works_until_it_is_killed)}");
        start.Environment[FileVariable] = _file;
        return Process.Start(start)!;
    }

    private async Task<string> AddressAsync(Process child)
    {
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (await File.ReadAllTextAsync(_file, TestContext.Current.CancellationToken) is var text)
        {
            if (text.Length > 0) return text;
            if (child.HasExited) Assert.Fail($"The child ended with {child.ExitCode}: {await child.StandardOutput.ReadToEndAsync()}");
            await look.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
        return "";
    }
}
