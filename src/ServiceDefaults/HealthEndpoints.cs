using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary><c>/healthz</c>: the process works. <c>/readyz</c>: it can do its job now.</summary>
public static class HealthEndpoints
{
    /// <summary>Tag of checks whose failure means: restart the process.</summary>
    public const string Live = "live";
    /// <summary>Tag of checks whose failure means: send no traffic yet.</summary>
    public const string Ready = "ready";

    public static IEndpointRouteBuilder MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", (HealthCheckService health, CancellationToken cancellationToken) => CheckAsync(health, Live, cancellationToken))
            .WithName("Liveness").WithSummary("Does the process work?").WithTags("Health");
        routes.MapGet("/readyz", (HealthCheckService health, CancellationToken cancellationToken) => CheckAsync(health, Ready, cancellationToken))
            .WithName("Readiness").WithSummary("Can the service answer now?").WithTags("Health");
        return routes;
    }

    private static async Task<Results<Ok<HealthAnswer>, JsonHttpResult<HealthAnswer>>> CheckAsync(HealthCheckService health, string tag, CancellationToken cancellationToken)
    {
        var report = await health.CheckHealthAsync(check => check.Tags.Contains(tag), cancellationToken);
        var answer = new HealthAnswer(
            report.Status.ToString().ToLowerInvariant(),
            report.Entries.ToDictionary(entry => entry.Key, entry => entry.Value.Description ?? entry.Value.Status.ToString().ToLowerInvariant()));
        return report.Status == HealthStatus.Unhealthy
            ? TypedResults.Json(answer, statusCode: StatusCodes.Status503ServiceUnavailable)
            : TypedResults.Ok(answer);
    }
}

/// <param name="Status"><c>healthy</c>, <c>degraded</c> or <c>unhealthy</c> (answered with 503).</param>
/// <param name="Checks">What each check found.</param>
public sealed record HealthAnswer(string Status, IReadOnlyDictionary<string, string> Checks);
