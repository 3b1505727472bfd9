using System.Globalization;

namespace BeeFormer.Streaming.Servers;

/// <summary>One of the four services as a user runs it: its own process, its own data folder, settings from the environment.</summary>
public sealed class ServiceProcess : IServer
{
    private static readonly HttpClient s_http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly ChildProcess _process;

    /// <param name="project">Ingest, Trainer, Indexer or Api.</param>
    public ServiceProcess(string project, int number, string folder, IReadOnlyDictionary<string, string?> settings)
    {
        (Project, Name) = (project, $"{project.ToLowerInvariant()}-{number}");
        int port = Ports.Take();
        Url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        Log = Path.Combine(folder, Name + ".log");
        var environment = settings.ToDictionary(setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value);
        environment["Urls"] = Url;
        environment["Data"] = Path.Combine(folder, Name);
        _process = new ChildProcess(Name, "dotnet", [Checkout.Built(project, $"BeeFormer.Streaming.{project}.dll")], Log, environment);
    }

    public string Project { get; }
    public string Name { get; }
    public string Url { get; }
    public string Log { get; }
    public bool Runs => _process.Runs;
    public bool EndedByItself => _process.EndedByItself;

    /// <summary>Bytes of memory; null: it does not run.</summary>
    public long? Resident => _process.Resident;

    /// <summary>Until it answers that it works; not until it is ready.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => _process.StartAsync(async _ => await IsAsync("/healthz"), cancellationToken);

    public Task ReadyAsync(CancellationToken cancellationToken) => ChildProcess.UntilAsync(async () => await IsAsync("/readyz"), $"{Name} to be ready", cancellationToken);

    public async Task<bool> IsAsync(string path)
    {
        try
        {
            using var answer = await s_http.GetAsync(Url + path);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    /// <summary>SIGTERM.</summary>
    public Task<int> StopAsync() => _process.StopAsync();
    public Task KillAsync() => _process.KillAsync();
    public void Pause() => _process.Pause();
    public void Resume() => _process.Resume();
    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
