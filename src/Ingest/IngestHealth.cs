using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace BeeFormer.Streaming.Ingest;

/// <summary>Whether the stores take what the log delivers: degraded while attempts fail, unhealthy from the fifth in a row.</summary>
internal sealed class IngestHealth : IHealthCheck
{
    private readonly ConcurrentDictionary<string, (int Failures, string Message)> _failing = new();

    public void Succeeded(string topic) => _failing.TryRemove(topic, out _);

    public void Failed(string topic, int inARow, Exception failure) => _failing[topic] = (inARow, failure.Message);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var failing = _failing.ToArray();
        if (failing.Length == 0) return Task.FromResult(HealthCheckResult.Healthy());
        string message = string.Join("; ", failing.Select(pair => $"{pair.Key}: {pair.Value.Failures} failures in a row, last: {pair.Value.Message}"));
        return Task.FromResult(failing.Any(pair => pair.Value.Failures >= 5) ? HealthCheckResult.Unhealthy(message) : HealthCheckResult.Degraded(message));
    }
}
