using System.Globalization;

namespace BeeFormer.Streaming.Servers;

/// <summary><c>beeformer serve</c>: everything in one process on embedded parts.</summary>
public sealed class StandaloneProcess : IServer
{
    private readonly ChildProcess _process;

    public StandaloneProcess(string folder, IReadOnlyDictionary<string, string?> settings)
    {
        Directory.CreateDirectory(folder);
        int port = Ports.Take();
        Url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        _process = new ChildProcess(Name, "dotnet", [Checkout.Built("Standalone", "beeformer.dll"), "serve", "--data", Path.Combine(folder, "data"), "--port", port.ToString(CultureInfo.InvariantCulture)],
            Path.Combine(folder, "standalone.log"), settings.ToDictionary(setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value));
    }

    public string Name => "standalone";
    public string Url { get; }

    public Task StartAsync(CancellationToken cancellationToken) => _process.StartAsync(lines => Task.FromResult(lines.Any(line => line.StartsWith("Serving on", StringComparison.Ordinal))), cancellationToken);

    /// <inheritdoc cref="ChildProcess.StopAsync"/>
    public Task<int> StopAsync() => _process.StopAsync();
    public Task KillAsync() => _process.KillAsync();
    public void Pause() => _process.Pause();
    public void Resume() => _process.Resume();
    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
