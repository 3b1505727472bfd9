using System.Globalization;

namespace BeeFormer.Streaming.Servers;

/// <summary>The S3 server of the window store's tests. It dies between two requests: an object is several files to it, which a real server would write whole or not at all.</summary>
public sealed class S3Server : IServer
{
    public const string Bucket = "shop", AccessKey = "S3RVER", SecretKey = "S3RVER";

    private readonly int _port = Ports.Take();
    private readonly string _objects;
    private readonly ChildProcess _process;

    public S3Server(string folder)
    {
        _objects = Path.Combine(folder, "objects");
        Directory.CreateDirectory(Path.Combine(_objects, Bucket)); // a bucket is a folder to it
        _process = new ChildProcess(Name, "node", ["server.js", _objects, _port.ToString(CultureInfo.InvariantCulture)], Path.Combine(folder, "log"), folder: Program);
    }

    public string Name => "s3";
    public int Port => _port;
    public static string? Missing => ChildProcess.IsInstalled("node") && ChildProcess.IsInstalled("npm") ? null : "The S3 server needs node and npm.";

    private static string Program => Checkout.Built("WindowStore.Tests", "S3Server");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await NodePackages.InstallAsync(Program);
        await _process.StartAsync(async _ => await ChildProcess.ListensAsync(_port), cancellationToken);
    }

    public async Task KillAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5)); // it may be paused
        try
        {
            using var http = new HttpClient();
            using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{_port}/_die"), patience.Token);
        }
        catch (Exception dead) when (dead is HttpRequestException or OperationCanceledException)
        {
        }
        await _process.KillAsync();
    }

    public void Pause() => _process.Pause();
    public void Resume() => _process.Resume();
    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
