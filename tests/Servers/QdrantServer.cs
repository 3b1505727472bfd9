using System.Globalization;

namespace BeeFormer.Streaming.Servers;

/// <summary>The fake of Qdrant's gRPC service as a process of its own. What it acknowledged is there again after it was killed.</summary>
public sealed class QdrantServer : IServer
{
    private readonly int _port = Ports.Take();
    private readonly ChildProcess _process;

    public QdrantServer(string folder)
    {
        Directory.CreateDirectory(folder);
        _process = new ChildProcess(Name, "dotnet", [Checkout.Built("FakeQdrant", "BeeFormer.Streaming.FakeQdrant.dll"), "--port", _port.ToString(CultureInfo.InvariantCulture), "--api-key", ApiKey, "--journal", Path.Combine(folder, "journal")], Path.Combine(folder, "log"));
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
