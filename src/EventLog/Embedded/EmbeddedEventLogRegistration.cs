using BeeFormer.Streaming.EventLog.Embedded;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.EventLog;

public static class EmbeddedEventLogRegistration
{
    /// <summary>The log in files under <paramref name="folder"/>, in this process, with the settings of the section <c>EventLog</c>.</summary>
    public static IServiceCollection AddEmbeddedEventLog(this IServiceCollection services, string folder, IConfiguration configuration)
    {
        services.AddOptions<EmbeddedEventLogOptions>().Bind(configuration.GetSection(EmbeddedEventLogOptions.Section), binder => binder.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<EmbeddedEventLogOptions>, OptionsCheck>());
        return services.AddEmbeddedEventLog(folder, provider => provider.GetRequiredService<IOptions<EmbeddedEventLogOptions>>().Value);
    }

    /// <summary>The log in files under <paramref name="folder"/>, in this process.</summary>
    public static IServiceCollection AddEmbeddedEventLog(this IServiceCollection services, string folder, EmbeddedEventLogOptions? options = null) =>
        services.AddEmbeddedEventLog(folder, _ => options ?? new EmbeddedEventLogOptions());

    private static IServiceCollection AddEmbeddedEventLog(this IServiceCollection services, string folder, Func<IServiceProvider, EmbeddedEventLogOptions> options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<BeeFormer.Streaming.EventLog.IEventLog>(provider => new EmbeddedEventLog(
            folder, options(provider), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<EmbeddedEventLog>>()));
        return services;
    }

    private sealed class OptionsCheck : IValidateOptions<EmbeddedEventLogOptions>
    {
        public ValidateOptionsResult Validate(string? name, EmbeddedEventLogOptions options) =>
            options.Problem() is { } problem ? ValidateOptionsResult.Fail($"{problem}.") : ValidateOptionsResult.Success;
    }
}
