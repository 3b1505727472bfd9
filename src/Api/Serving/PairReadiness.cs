using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace BeeFormer.Streaming.Api;

/// <summary>Ready once a pair serves.</summary>
internal sealed class PairReadiness(ServingPairs pairs) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        pairs.Identity is { } serving
            ? HealthCheckResult.Healthy($"{serving.Version}, generation {serving.Generation}")
            : HealthCheckResult.Unhealthy("no model serves yet"));
}
