using System.Diagnostics;
using System.Globalization;
using System.Text;
using BeeFormer.Streaming.Standalone.Commands;

namespace BeeFormer.Streaming.Standalone.Tests.EndToEnd;

/// <summary>The built command line tool in a process of its own.</summary>
internal sealed class Program : IDisposable
{
    private readonly Process process;
    private readonly StringBuilder said = new();

    private Program(Process process)
    {
        this.process = process;
        DataReceivedEventHandler note = (_, line) =>
        {
            lock (said) said.AppendLine(line.Data);
        };
        process.OutputDataReceived += note;
        process.ErrorDataReceived += note;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public static Program Start(params string[] args) => Start([], args);

    /// <param name="settings">Of the configuration, as environment variables.</param>
    public static Program Start((string Name, string Value)[] settings, string[] args)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string arg in (string[])[typeof(CommandLine).Assembly.Location, .. args]) start.ArgumentList.Add(arg);
        start.Environment["Ingest__SegmentEvents"] = "200"; // many moments at which something has landed
        foreach ((string name, string value) in settings) start.Environment[name] = value;
        return new Program(new Process { StartInfo = start });
    }

    /// <summary>Kills it as soon as the condition holds; fails when it ends before that.</summary>
    public async Task KillAsync(Func<bool> when)
    {
        await Condition.HoldsAsync(() => when() || process.HasExited, () => $"The moment to kill the program did not come. It said:\n{Said}");
        bool ended = process.HasExited;
        if (!ended) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.False(ended, $"The program ended before it could be killed. It said:\n{Said}");
    }

    /// <summary>Presses Ctrl+C as soon as the condition holds; fails when it ends before that.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> InterruptAsync(Func<Program, bool> when)
    {
        await Condition.HoldsAsync(() => when(this) || process.HasExited, () => $"The moment to interrupt the program did not come. It said:\n{Said}");
        Assert.False(process.HasExited, $"The program ended before it could be interrupted. It said:\n{Said}");
        using (Process kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        return await ExitAsync();
    }

    public async Task EndAsync()
    {
        int code = await ExitAsync();
        Assert.True(code == 0, $"Exit code {code}. It said:\n{Said}");
    }

    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync()
    {
        await Condition.HoldsAsync(() => process.HasExited, () => $"The program did not end. It said:\n{Said}");
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }

    /// <summary>On both its outputs.</summary>
    public string Said
    {
        get
        {
            lock (said) return said.ToString();
        }
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        process.Dispose();
    }
}
