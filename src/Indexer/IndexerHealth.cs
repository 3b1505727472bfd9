using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Indexer;

/// <summary>Whether the index answers. While it does not, the Indexer waits and is degraded: nothing is lost, but answers grow old. Each outage is logged at its beginning and its end.</summary>
internal sealed class IndexerHealth(IndexerMetrics metrics, TimeProvider time, ILogger<IndexerHealth> logger) : IHealthCheck
{
    private readonly Lock _gate = new();
    private volatile Outage? _outage;
    private long _answered;

    /// <summary>Calls that were answered so far.</summary>
    public long Answered => Interlocked.Read(ref _answered);

    /// <param name="answered"><see cref="Answered"/> when the call began: what was answered since is newer than this failure.</param>
    public void Failed(Exception failure, long answered)
    {
        metrics.Failed();
        lock (_gate)
        {
            if (Answered != answered) return;
            if (_outage is null) logger.LogWarning(failure, "The vector index does not answer; item events and builds wait until it does");
            _outage = new Outage(_outage?.Since ?? time.GetTimestamp(), failure.Message);
        }
    }

    public void Succeeded()
    {
        Interlocked.Increment(ref _answered);
        if (_outage is null) return;
        lock (_gate)
        {
            if (_outage is not { } over) return;
            _outage = null;
            logger.LogInformation("The vector index answers again after {Seconds:0.0} s", time.GetElapsedTime(over.Since).TotalSeconds);
        }
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_outage is { } outage
            ? HealthCheckResult.Degraded($"the vector index has not answered for {time.GetElapsedTime(outage.Since).TotalSeconds:0} s: {outage.Message}")
            : HealthCheckResult.Healthy());

    private sealed record Outage(long Since, string Message);
}
