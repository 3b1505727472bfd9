using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.Chaos;

/// <summary>Starts services until they run, and those that ended by themselves again, as whatever runs containers does: a service that cannot work may end.</summary>
internal sealed class Orchestrator : IAsyncDisposable
{
    private readonly Dictionary<ServiceProcess, SemaphoreSlim> _one;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private int _restarts;

    public Orchestrator(Installation installation)
    {
        _one = installation.Services.ToDictionary(service => service, _ => new SemaphoreSlim(1));
        _watching = Task.WhenAll(installation.Services.Select(WatchAsync));
    }

    /// <summary>Starts of services that had ended by themselves.</summary>
    public int Restarts => _restarts;

    /// <summary>Until it answers, however often it ends before.</summary>
    public async Task StartAsync(ServiceProcess service, CancellationToken cancellationToken)
    {
        await _one[service].WaitAsync(cancellationToken);
        try
        {
            while (true)
            {
                try
                {
                    await service.StartAsync(cancellationToken);
                    return;
                }
                catch (InvalidOperationException ended)
                {
                    Interlocked.Increment(ref _restarts);
                    Console.WriteLine($"      {ended.Message.Split('\n')[0]}");
                    await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken);
                }
            }
        }
        finally
        {
            _one[service].Release();
        }
    }

    private async Task WatchAsync(ServiceProcess service)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            while (await pace.WaitForNextTickAsync(_stop.Token))
            {
                if (!service.EndedByItself || _one[service].CurrentCount == 0) continue;
                Interlocked.Increment(ref _restarts);
                Console.WriteLine($"      {service.Name} ended by itself");
                await StartAsync(service, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
        foreach (SemaphoreSlim one in _one.Values) one.Dispose();
    }
}
