using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.EventLog;

public static class KafkaEventLogRegistration
{
    /// <summary>The log on the Kafka cluster that the section <c>Kafka</c> names. Creates or checks the topics when the host starts.</summary>
    public static IServiceCollection AddKafkaEventLog(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddOptions<KafkaOptions>().Bind(configuration.GetSection(KafkaOptions.Section), binder => binder.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<KafkaOptions>, KafkaOptionsCheck>());
        services.TryAddSingleton<KafkaMetrics>();
        services.TryAddSingleton(provider => new KafkaHealth(provider.GetService<IHostApplicationLifetime>(), provider.GetRequiredService<KafkaMetrics>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<KafkaHealth>>()));
        services.AddHealthChecks().AddCheck<KafkaHealth>("kafka", tags: ["live", "ready"]);
        services.TryAddSingleton(provider => new KafkaEventLog(provider.GetRequiredService<IOptions<KafkaOptions>>().Value, provider.GetRequiredService<KafkaHealth>(), provider.GetRequiredService<KafkaMetrics>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<KafkaEventLog>>()));
        services.TryAddSingleton<BeeFormer.Streaming.EventLog.IEventLog>(provider => provider.GetRequiredService<KafkaEventLog>());
        services.AddHostedService<TopicsAtStart>();
        return services;
    }

    /// <summary>A topic that does not fit stops the start, not the first event.</summary>
    private sealed class TopicsAtStart(KafkaEventLog log) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) =>
            Task.WhenAll(new[] { Topics.Interactions, Topics.Items, Topics.DeadLetters }.Select(topic => log.Topics.EnsureAsync(topic, cancellationToken)));

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
