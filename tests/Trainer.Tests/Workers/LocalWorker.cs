using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>A worker in this process, on a free port, that may go and come again.</summary>
internal sealed class LocalWorker(WorkersOptions? options = null, WorkerIdentity? identity = null) : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-worker-").FullName;
    private readonly WorkerIdentity _identity = identity ?? new WorkerIdentity();
    private EncoderOutputCache? _cache;
    private TrainingWorkerServer? _server;
    private string _listen = options?.Listen ?? $"http://127.0.0.1:{Ports.Take()}";

    public string Address { get; private set; } = "";

    public bool IsUp => _server is not null;

    public string[] Files => Directory.GetFiles(_folder, "*", SearchOption.AllDirectories);

    public static async Task<LocalWorker> StartAsync(WorkersOptions? options = null, WorkerIdentity? identity = null)
    {
        var worker = new LocalWorker(options, identity);
        await worker.UpAsync();
        return worker;
    }

    public static async Task<LocalWorker[]> SomeAsync(int count) => await Task.WhenAll(Enumerable.Range(0, count).Select(_ => StartAsync()));

    public async Task UpAsync()
    {
        WorkersOptions its = options ?? new WorkersOptions();
        its.Listen = _listen;
        _cache = new EncoderOutputCache(_folder);
        // One thread, as the tests' own: products are then the same bit for bit.
        _server = new TrainingWorkerServer(Options.Create(its), Options.Create(new TrainerOptions { Threads = 1 }), _identity, TimeProvider.System, NullLoggerFactory.Instance, _cache);
        await _server.StartAsync(TestContext.Current.CancellationToken);
        _listen = Address = _server.Address!.ToString();
    }

    /// <summary>Breaks all connections.</summary>
    public async Task DownAsync()
    {
        if (_server is null) return;
        await _server.StopAsync(new CancellationToken(true));
        await _server.DisposeAsync();
        _cache!.Dispose();
        _server = null;
    }

    public async ValueTask DisposeAsync()
    {
        await DownAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
