using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.Hosting;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>A process that erases a user is killed at each of its steps; the next one finishes it.</summary>
public sealed class ErasureKillTests : IDisposable
{
    private const string Gone = "user-to-forget", Other = "user-who-stays";
    private const string FolderVariable = "BEEFORMER_ERASURE_TARGET", StepVariable = "BEEFORMER_ERASURE_STEP";

    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-erasure-kill-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string, int> Kills => new()
    {
        { KillStep.BeforeErasure, 1 }, { KillStep.AfterErasure, 1 },
        { KillStep.BeforeErasing(Topics.DeadLetters), 1 }, { KillStep.AfterErasing(Topics.DeadLetters), 1 },
        { KillStep.BeforeErasing(Topics.Interactions), 1 }, { KillStep.AfterErasing(Topics.Interactions), 1 }, // the user's messages
        { KillStep.AfterErasing(Topics.Interactions), 2 }, // the request
    };

    [Theory(Timeout = 600_000)]
    [MemberData(nameof(Kills))]
    public async Task Killed_at_any_step_the_next_start_finishes_the_erasure(string step, int nth)
    {
        using (IHost host = ErasureHost.Of(_folder, null))
        {
            await host.StartAsync(Token);
            await ErasureHost.FillAsync(host, Gone, Other, Token, async () =>
            {
                await ErasureHost.LandedAsync(host, Token);
                await host.StopAsync(Token);
            });
        }
        await KillAsync(step, nth);
        using (IHost host = ErasureHost.Of(_folder, null))
        {
            await host.StartAsync(Token);
            await ErasureHost.UntilErasedAsync(host, Gone, Token);
            await ErasureHost.CheckAsync(host, Gone, Other, Token);
            await host.StopAsync(Token);
        }
        Assert.Empty(ErasureHost.FilesHolding(_folder, Gone));
    }

    private async Task KillAsync(string step, int nth)
    {
        // This test assembly is the child.
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(ErasureKillTests).Assembly.Location);
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"{typeof(ErasureKillTests).FullName}.{nameof(Erases_until_it_is_killed)}");
        start.Environment[FolderVariable] = _folder;
        start.Environment[StepVariable] = string.Create(CultureInfo.InvariantCulture, $"{step}:{nth}");
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEndAsync(Token);
        _ = child.StandardError.ReadToEndAsync(Token);
        await child.WaitForExitAsync(Token);
        Assert.True(child.ExitCode == 137, $"killed at '{step}', the child ended with {child.ExitCode}: {await output}"); // 128 + SIGKILL
    }

    [Fact]
    public async Task Erases_until_it_is_killed()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (folder is null) Assert.Skip("runs only as the child of another test");
        string[] fatal = Environment.GetEnvironmentVariable(StepVariable)!.Split(':');
        int met = 0, nth = int.Parse(fatal[1], CultureInfo.InvariantCulture);
        using IHost host = ErasureHost.Of(folder, here =>
        {
            if (here == fatal[0] && Interlocked.Increment(ref met) == nth) Process.GetCurrentProcess().Kill();
        });
        await host.StartAsync(Token);
        await Task.Delay(Timeout.InfiniteTimeSpan, Token);
    }
}
