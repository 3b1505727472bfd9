using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Ingest;

public static class IngestHosting
{
    /// <summary>Lands both topics of the log in the window store and keeps the profiles. Needs an event log, a window store and profiles.</summary>
    public static IHostApplicationBuilder AddIngest(this IHostApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        builder.Services.AddCheckedOptions<IngestOptions>(IngestOptions.Section);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<IngestOptions>, IngestOptionsCheck>());
        builder.Services.AddMetrics();
        builder.Services.TryAddSingleton<IngestMetrics>();
        builder.Services.TryAddSingleton<IngestHealth>();
        builder.Services.AddHealthChecks().AddCheck<IngestHealth>("ingest", tags: [HealthEndpoints.Ready]);
        builder.Services.TryAddSingleton<LogErasing>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<LogErasing>());
        builder.Services.AddHostedService<IngestService>();
        return builder;
    }

    private sealed class IngestOptionsCheck : IValidateOptions<IngestOptions>
    {
        public ValidateOptionsResult Validate(string? name, IngestOptions options) =>
            options.Problem() is { } problem ? ValidateOptionsResult.Fail(problem) : ValidateOptionsResult.Success;
    }
}
