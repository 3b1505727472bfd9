using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>Hosting plumbing that every service wants: clock, console logging, telemetry, a liveness check.</summary>
public static class ServiceDefaultsHosting
{
    /// <summary>
    /// Adds the system clock, one-line console logging (<c>Logging:Format</c> = <c>json</c> for JSON lines, default <c>simple</c>), <see cref="Telemetry"/> and the liveness check.
    /// May be called by several services of one process; the second call changes nothing.
    /// </summary>
    /// <param name="name">The process in telemetry.</param>
    public static IHostApplicationBuilder AddServiceDefaults(this IHostApplicationBuilder builder, string name = "beeformer")
    {
        if (builder.Services.Any(service => service.ServiceType == typeof(DefaultsAdded))) return builder;
        builder.Services.AddSingleton<DefaultsAdded>();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddHealthChecks().AddCheck("process", () => HealthCheckResult.Healthy(), [HealthEndpoints.Live]);

        if (string.Equals(builder.Configuration["Logging:Format"], "json", StringComparison.OrdinalIgnoreCase))
            builder.Logging.AddJsonConsole(options => { options.UseUtcTimestamp = true; options.TimestampFormat = "O"; options.IncludeScopes = true; });
        else
            builder.Logging.AddSimpleConsole(options => { options.SingleLine = true; options.UseUtcTimestamp = true; options.TimestampFormat = "HH:mm:ss "; });
        Telemetry.Add(builder, name);
        return builder;
    }

    /// <summary>Binds a section to options whose annotations are checked when the host starts: a wrong setting stops the start, naming the key.</summary>
    public static IServiceCollection AddCheckedOptions<TOptions>(this IServiceCollection services, string section)
        where TOptions : class
    {
        services.AddOptions<TOptions>().BindConfiguration(section, binder => binder.ErrorOnUnknownConfiguration = true).ValidateDataAnnotations().ValidateOnStart();
        return services;
    }

    private sealed class DefaultsAdded;
}
