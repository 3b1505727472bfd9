using System.Globalization;

namespace BeeFormer.Streaming.Servers;

/// <summary>The fake of Qdrant's gRPC service as a process of its own. It keeps nothing when it is killed: then it is as an index whose disk is gone.</summary>
public sealed class QdrantServer : IServer
{
    private readonly int _port = ChildProcess.FreePort();
    private readonly ChildProcess _process;

    public QdrantServer(string folder)
    {
        Directory.CreateDirectory(folder);
        _process = new ChildProcess(Name, "dotnet", [Checkout.Built("FakeQdrant", "BeeFormer.Streaming.FakeQdrant.dll"), "--port", _port.ToString(CultureInfo.InvariantCulture), "--api-key", ApiKey], Path.Combine(folder, "log"));
    }

    public const string ApiKey = "an-api-key-for-tests-alone";
    public string Name => "qdrant";
    public int Port => _port;

    public Task StartAsync(CancellationToken cancellationToken) => _process.StartAsync(lines => Task.FromResult(lines.Any(line => line.StartsWith("http://", StringComparison.Ordinal))), cancellationToken);
    public Task KillAsync() => _process.KillAsync();
    public void Pause() => _process.Pause();
    public void Resume() => _process.Resume();
    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
