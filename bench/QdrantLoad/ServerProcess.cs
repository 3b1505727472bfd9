using System.Diagnostics;

namespace BeeFormer.Streaming.QdrantLoad;

/// <summary>The fake server as a process of its own, so that its work is not the client's.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process process;

    private ServerProcess(Process process, string endpoint) => (this.process, Endpoint) = (process, endpoint);

    public string Endpoint { get; }

    public static ServerProcess Start()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "BeeFormer.Streaming.FakeQdrant.dll"));
        var process = Process.Start(start)!;
        return new ServerProcess(process, process.StandardOutput.ReadLine() ?? throw new IOException("The fake server ended without an address."));
    }

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
