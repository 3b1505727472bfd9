using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>OpenTelemetry: metrics for whoever fetches them, and all there is to a collector where one is configured.</summary>
public static class Telemetry
{
    private const string Ours = "BeeFormer.Streaming.*";
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>From a search in memory to a training of an hour.</summary>
    private static readonly double[] s_seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

    internal static void Add(IHostApplicationBuilder builder, string name)
    {
        builder.Services.AddCheckedOptions<TelemetryOptions>(TelemetryOptions.Section);
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(name, serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString(3)))
            .WithMetrics(metrics => metrics
                .AddMeter(Ours, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.RateLimiting", "System.Runtime")
                .AddView(BucketsOfSeconds)
                .AddPrometheusExporter());

        string? endpoint = builder.Configuration[$"{TelemetryOptions.Section}:{nameof(TelemetryOptions.Endpoint)}"];
        Uri? collector = null;
        // What is no address stops the start when the options are checked.
        if (string.IsNullOrEmpty(endpoint) ? string.IsNullOrEmpty(builder.Configuration[EndpointVariable]) : !Uri.TryCreate(endpoint, UriKind.Absolute, out collector)) return;
        _ = collector is null
            ? telemetry.UseOtlpExporter()
            : telemetry.UseOtlpExporter(builder.Configuration[$"{TelemetryOptions.Section}:{nameof(TelemetryOptions.Protocol)}"] == "http/protobuf" ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc, collector);
        double share = builder.Configuration.GetValue($"{TelemetryOptions.Section}:{nameof(TelemetryOptions.SampledShare)}", 1d);
        telemetry.WithTracing(traces => traces
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(Math.Clamp(share, 0, 1))))
            .AddSource(Ours, "MassTransit")
            .AddAspNetCoreInstrumentation(http =>
            {
                http.Filter = context => context.Request.Path.StartsWithSegments("/v1");
                // Paths hold ids of users, which a collector knows nothing of when they are erased.
                http.EnrichWithHttpResponse = (activity, response) => activity.SetTag("url.path", (response.HttpContext.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "unknown").SetTag("url.query", null);
            }));
    }

    /// <summary>The metrics of this process in Prometheus' text format, at <c>/metrics</c>. Whoever maps it says who may ask.</summary>
    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder routes) => routes.MapPrometheusScrapingEndpoint("/metrics");

    // The usual ones are made for milliseconds.
    private static ExplicitBucketHistogramConfiguration? BucketsOfSeconds(Instrument instrument) =>
        instrument is Histogram<double> { Unit: "s" } && instrument.Meter.Name.StartsWith("BeeFormer.Streaming.", StringComparison.Ordinal) ? new ExplicitBucketHistogramConfiguration { Boundaries = s_seconds } : null;
}
