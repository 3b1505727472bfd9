using Confluent.Kafka;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Degraded while no broker can be reached. An error that the client cannot recover from stops the host: it would live on without a log.</summary>
internal sealed class KafkaHealth(IHostApplicationLifetime? host, KafkaMetrics metrics, TimeProvider time, ILogger<KafkaHealth> logger) : IHealthCheck
{
    /// <summary>While a broker is away each client tells of each attempt to reach it; of one kind so much is logged.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<ErrorCode, (long LoggedAt, int Since)> _logged = [];
    private volatile string? _fatal;
    private volatile string? _unreachable;

    public void Report(KafkaStatistics producer) =>
        _unreachable = producer.Brokers.Any(broker => broker.Connected) ? null : "no Kafka broker can be reached; appends fail until one can";

    public void Failed(string client, Error error)
    {
        metrics.Failed(error.Code);
        if (!error.IsFatal)
        {
            if (Unlogged(error.Code) is { } more)
                logger.LogWarning("Kafka client {Client}: {Reason} ({Code}{More})", client, error.Reason, error.Code, more == 0 ? "" : $"; {more} more since the last of the kind was logged");
            return;
        }
        _fatal = $"the Kafka client {client} cannot go on: {error.Reason} ({error.Code})";
        logger.LogCritical("The Kafka client {Client} cannot go on: {Reason} ({Code}); the host is stopped", client, error.Reason, error.Code);
        host?.StopApplication();
    }

    /// <returns>How many of the kind were not logged; null: nor is this one.</returns>
    private int? Unlogged(ErrorCode code)
    {
        lock (_lock)
        {
            if (_logged.TryGetValue(code, out var last) && time.GetElapsedTime(last.LoggedAt) < Pace)
            {
                _logged[code] = last with { Since = last.Since + 1 };
                return null;
            }
            _logged[code] = (time.GetTimestamp(), 0);
            return last.Since;
        }
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        _fatal is { } fatal ? HealthCheckResult.Unhealthy(fatal) :
        _unreachable is { } unreachable ? HealthCheckResult.Degraded(unreachable) : HealthCheckResult.Healthy());
}
