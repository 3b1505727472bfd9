using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.EventLog;

public static class EventLogRegistration
{
    /// <summary>The log on Kafka where <c>Kafka:BootstrapServers</c> is set, else in files under <paramref name="folder"/>.</summary>
    public static IServiceCollection AddEventLog(this IServiceCollection services, IConfiguration configuration, string folder) =>
        string.IsNullOrWhiteSpace(configuration["Kafka:BootstrapServers"]) ? services.AddEmbeddedEventLog(folder, configuration) : services.AddKafkaEventLog(configuration);
}
