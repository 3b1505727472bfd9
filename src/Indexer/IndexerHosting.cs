using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Indexer;

/// <summary>The Indexer service: items become vectors at once, a new model's collection is built beside the old one and switched to.</summary>
public static class IndexerHosting
{
    internal const string Published = "indexer-published";

    /// <summary>
    /// Needs in the container: <see cref="IEventLog"/>, <see cref="IWindowStore"/>, <see cref="IModelStore"/>, <see cref="ILeases"/>, <see cref="IVectorIndex"/>, MassTransit with
    /// <see cref="AddIndexerConsumers"/>; optional: <see cref="EncoderOutputCache"/>.
    /// </summary>
    public static IHostApplicationBuilder AddIndexer(this IHostApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        var services = builder.Services;
        services.AddCheckedOptions<IndexerOptions>(IndexerOptions.Section);
        services.AddMetrics();
        services.TryAddSingleton<IndexerMetrics>();
        services.TryAddSingleton<IndexerHealth>();
        services.AddHealthChecks().AddCheck<IndexerHealth>("indexer", tags: [HealthEndpoints.Ready]);
        services.AddKeyedSingleton<WakeSignal>(Published);
        services.TryAddSingleton(provider => EventClock.Of(provider.GetRequiredService<IConfiguration>()));
        services.TryAddSingleton<ReadItemEvent>(provider => ItemEvents.Reader(provider.GetRequiredService<EventClock>()));
        services.AddSharedModels();
        services.TryAddSingleton(provider => ItemEmbedder.From(
            provider.GetRequiredService<IModelStore>(), provider.GetRequiredService<SharedModels>(), provider.GetService<EncoderOutputCache>()));
        services.AddControlMessages();
        services.AddHostedService(provider => new Indexing(provider.GetRequiredService<ILeases>(), () => Term(provider), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<Indexing>>()));
        return builder;
    }

    public static void AddIndexerConsumers(this IBusRegistrationConfigurator bus) => bus.AddConsumer<EncoderPublishedConsumer>().OfThisInstance();

    private static IndexingTerm Term(IServiceProvider provider)
    {
        var log = provider.GetRequiredService<IEventLog>();
        var read = provider.GetRequiredService<ReadItemEvent>();
        var options = provider.GetRequiredService<IOptions<IndexerOptions>>();
        var time = provider.GetRequiredService<TimeProvider>();
        var metrics = provider.GetRequiredService<IndexerMetrics>();
        var targets = new IndexTargets(metrics);
        return new IndexingTerm(targets,
            new IndexReconciliation(
                log, provider.GetRequiredService<IWindowStore>(), provider.GetRequiredService<IModelStore>(), new PatientIndex(provider.GetRequiredService<IVectorIndex>(), provider.GetRequiredService<IndexerHealth>(), time),
                targets, provider.GetRequiredService<LoadItemEmbedder>(), read, PinnedModels.Of(provider.GetRequiredService<IConfiguration>()),
                provider.GetRequiredService<PublishControlMessage>(), provider.GetRequiredKeyedService<WakeSignal>(Published), options, time, metrics, provider.GetRequiredService<ILogger<IndexReconciliation>>()),
            new IncrementalIndexing(log, targets, read, options, time, provider.GetRequiredService<ILogger<IncrementalIndexing>>()));
    }
}
