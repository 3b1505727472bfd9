using System.ComponentModel.DataAnnotations;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>Where traces, metrics and logs go. Without an endpoint they go nowhere, and no trace is recorded; metrics can be fetched all the same.</summary>
public sealed class TelemetryOptions
{
    public const string Section = "OpenTelemetry";

    /// <summary>Of an OTLP collector: <c>http://host:4317</c>. Null: as the variable <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says.</summary>
    [RegularExpression(@"https?://[^\s/]+(/\S*)?", ErrorMessage = "OpenTelemetry:Endpoint is no address; expected http://host:port or https://host:port.")]
    public string? Endpoint { get; init; }

    /// <summary>How the collector at <see cref="Endpoint"/> is spoken to.</summary>
    [RegularExpression("grpc|http/protobuf", ErrorMessage = "OpenTelemetry:Protocol is unknown; expected grpc or http/protobuf.")]
    public string Protocol { get; init; } = "grpc";

    /// <summary>Share of the traces beginning here that are recorded; one that began elsewhere is recorded if it is there.</summary>
    [Range(0d, 1d)]
    public double SampledShare { get; init; } = 1;
}
