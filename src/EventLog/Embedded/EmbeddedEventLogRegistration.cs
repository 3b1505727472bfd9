using BeeFormer.Streaming.EventLog.Embedded;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog;

public static class EmbeddedEventLogRegistration
{
    /// <summary>The log in files under <paramref name="folder"/>, in this process.</summary>
    public static IServiceCollection AddEmbeddedEventLog(this IServiceCollection services, string folder, EmbeddedEventLogOptions? options = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<BeeFormer.Streaming.EventLog.IEventLog>(provider => new EmbeddedEventLog(
            folder, options ?? new EmbeddedEventLogOptions(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<EmbeddedEventLog>>()));
        return services;
    }
}
