using System.Text.Json;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.DeadLetters;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.VectorIndex;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>The Api service: events in, recommendations out, over HTTP.</summary>
public static class ApiHosting
{
    internal const string Switched = "api-switched";

    /// <summary>
    /// Needs in the container: <see cref="IEventLog"/>, <see cref="IProfiles"/>, <see cref="IModelStore"/>, <see cref="ITrainingRecords"/>, <see cref="IVectorIndex"/>, MassTransit with
    /// <see cref="AddApiConsumers"/>.
    /// </summary>
    public static IHostApplicationBuilder AddApi(this IHostApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        var services = builder.Services;
        services.AddCheckedOptions<ApiOptions>(ApiOptions.Section);
        services.AddCheckedOptions<UserVectorOptions>(UserVectorOptions.Section);
        services.AddCheckedOptions<RankingOptions>(RankingOptions.Section);

        services.AddKeyedSingleton<WakeSignal>(Switched);
        services.TryAddSingleton<ServingPairs>();
        services.TryAddSingleton<HiddenItems>();
        services.TryAddSingleton<Recommender>();
        services.TryAddSingleton(provider => new PopularityCounter(provider.GetRequiredService<IOptions<ApiOptions>>().Value.PopularityHalfLife));
        services.AddSharedModels();
        services.TryAddSingleton(provider => QueryEmbedder.From(provider.GetRequiredService<IModelStore>(), provider.GetRequiredService<SharedModels>()));
        services.TryAddSingleton<ModelActivation>();
        services.TryAddSingleton(provider => EventClock.Of(provider.GetRequiredService<IConfiguration>()));
        services.TryAddSingleton(provider => new DeadLetterLog(provider.GetRequiredService<IEventLog>(), provider.GetRequiredService<EventClock>().AllowedError, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<EventReading>();
        services.TryAddSingleton<ReadInteraction>(provider => provider.GetRequiredService<EventReading>().Interaction);
        services.TryAddSingleton<ReadItemEvent>(provider => provider.GetRequiredService<EventReading>().Item);
        services.AddHostedService(provider => new PairKeeping(
            provider.GetRequiredService<IVectorIndex>(), provider.GetRequiredService<IModelStore>(), provider.GetRequiredService<ServingPairs>(), provider.GetRequiredService<LoadQueryEmbedder>(),
            provider.GetRequiredKeyedService<WakeSignal>(Switched), provider.GetRequiredService<IOptions<ApiOptions>>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<PairKeeping>>()));
        services.TryAddSingleton<HiddenItemsReading>();
        services.AddHostedService(provider => provider.GetRequiredService<HiddenItemsReading>());
        services.AddHostedService<PopularityCounting>();
        services.AddHealthChecks()
            .AddCheck<PairReadiness>("serving pair", tags: [HealthEndpoints.Ready])
            .AddCheck<HiddenItemsReading>("hidden items", tags: [HealthEndpoints.Ready]);

        services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            options.SerializerOptions.RespectNullableAnnotations = true;
        });
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.AddDashboard();
        services.AddProblemDetails(options => options.CustomizeProblemDetails = Problems.Complete);
        services.AddExceptionHandler<Problems>();
        services.AddOpenApi("v1", options => options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "BeeFormer.Streaming";
            document.Info.Description = "Recommendations that learn from a stream of events.";
            return Task.CompletedTask;
        }));
        return builder;
    }

    /// <summary>Maps all endpoints, the OpenAPI document and the answers to failures.</summary>
    public static WebApplication MapApi(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.MapDashboard();
        ApiOptions options = app.Services.GetRequiredService<IOptions<ApiOptions>>().Value;
        var v1 = app.MapGroup("/v1").WithMetadata(new RequestSizeLimitAttribute(options.MaxBodyBytes));
        EventEndpoints.Map(v1);
        ErasureEndpoints.Map(v1);
        ItemEndpoints.Map(v1);
        RankingEndpoints.Map(v1);
        ModelEndpoints.Map(v1, options);
        TrainingEndpoints.Map(v1);
        DeadLetterEndpoints.Map(v1);
        PipelineEndpoints.Map(v1);
        CompareEndpoints.Map(v1);
        app.MapHealth();
        app.MapOpenApi("/openapi/{documentName}.json");
        return app;
    }

    public static void AddApiConsumers(this IBusRegistrationConfigurator bus)
    {
        bus.AddConsumer<ActivateEncoderConsumer>();
        bus.AddDashboardConsumers();
        // Every instance of the Api hears of every switch.
        bus.AddConsumer<IndexSwitchedConsumer>().Endpoint(endpoint => { endpoint.InstanceId = Guid.NewGuid().ToString("N"); endpoint.Temporary = true; });
    }
}
