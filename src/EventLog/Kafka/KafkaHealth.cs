using Confluent.Kafka;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Degraded while no broker can be reached. An error that the client cannot recover from stops the host: it would live on without a log.</summary>
internal sealed class KafkaHealth(IHostApplicationLifetime? host, KafkaMetrics metrics, ILogger<KafkaHealth> logger) : IHealthCheck
{
    private volatile string? _fatal;
    private volatile string? _unreachable;

    public void Report(KafkaStatistics producer) =>
        _unreachable = producer.Brokers.Any(broker => broker.Connected) ? null : "no Kafka broker can be reached; appends fail until one can";

    public void Failed(string client, Error error)
    {
        metrics.Failed(error.Code);
        if (!error.IsFatal)
        {
            logger.LogWarning("Kafka client {Client}: {Reason} ({Code})", client, error.Reason, error.Code);
            return;
        }
        _fatal = $"the Kafka client {client} cannot go on: {error.Reason} ({error.Code})";
        logger.LogCritical("The Kafka client {Client} cannot go on: {Reason} ({Code}); the host is stopped", client, error.Reason, error.Code);
        host?.StopApplication();
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        _fatal is { } fatal ? HealthCheckResult.Unhealthy(fatal) :
        _unreachable is { } unreachable ? HealthCheckResult.Degraded(unreachable) : HealthCheckResult.Healthy());
}
