namespace BeeFormer.Streaming.Servers;

/// <summary>A server of this machine that keeps its data and its address when it is killed and started again.</summary>
public interface IServer : IAsyncDisposable
{
    string Name { get; }
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>kill -9.</summary>
    Task KillAsync();
    void Pause();
    void Resume();
}
