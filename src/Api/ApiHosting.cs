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
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
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
        services.AddVariants();

        services.AddKeyedSingleton<WakeSignal>(Switched);
        services.TryAddSingleton<ServingPairs>();
        services.TryAddSingleton<HiddenItems>();
        services.TryAddSingleton<Recommender>();
        services.TryAddSingleton<RankingQueries>();
        services.TryAddSingleton<CandidateScoring>();
        services.TryAddSingleton(provider => new RecentEvents(provider.GetRequiredService<IOptions<ApiOptions>>().Value.RecentEvents));
        services.TryAddSingleton(provider => new PopularityCounter(provider.GetRequiredService<IOptions<ApiOptions>>().Value.PopularityHalfLife));
        services.AddSharedModels();
        services.TryAddSingleton(provider => QueryEmbedder.From(provider.GetRequiredService<IModelStore>(), provider.GetRequiredService<SharedModels>()));
        services.AddControlMessages();
        services.TryAddSingleton<ModelActivation>();
        services.TryAddSingleton(provider => EventClock.Of(provider.GetRequiredService<IConfiguration>()));
        services.TryAddSingleton(provider => new DeadLetterLog(provider.GetRequiredService<IEventLog>(), provider.GetRequiredService<EventClock>().AllowedError, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<EventReading>();
        services.TryAddSingleton<ReadInteraction>(provider => provider.GetRequiredService<EventReading>().Interaction);
        services.TryAddSingleton<ReadItemEvent>(provider => provider.GetRequiredService<EventReading>().Item);
        services.AddHostedService(provider => new PairKeeping(
            provider.GetRequiredService<IVectorIndex>(), provider.GetRequiredService<ServingPairs>(), provider.GetRequiredService<PinnedPairs>(), provider.GetRequiredService<LoadQueryEmbedder>(),
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
            options.SerializerOptions.AllowDuplicateProperties = false;
        });
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.AddDashboard();
        services.AddSingleton<IProblemDetailsWriter, Problems.Writer>();
        services.AddProblemDetails();
        services.AddExceptionHandler<Problems>();
        ApiKeyAuthentication.Add(services);
        RateLimits.Add(services);
        Decompression.Add(services);
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<IOptions<ApiOptions>>((cors, api) =>
            cors.AddDefaultPolicy(policy => policy.WithOrigins([.. api.Value.CorsOrigins]).AllowAnyHeader().AllowAnyMethod().WithExposedHeaders("Retry-After")));
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<ApiOptions>>(ServerLimits.Set);
        services.AddOpenApi("v1", Description.Complete);
        return builder;
    }

    /// <summary>Maps all endpoints, the OpenAPI document and the answers to failures.</summary>
    public static WebApplication MapApi(this WebApplication app)
    {
        ApiOptions options = app.Services.GetRequiredService<IOptions<ApiOptions>>().Value;
        app.Services.GetRequiredService<ApiKeys>(); // a wrong one stops the start
        app.Services.GetRequiredService<Variants>(); // so does this
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.MapDashboard();
        app.Use(RouteId.KeepDots);
        app.UseRouting();
        if (options.CorsOrigins.Count > 0) app.UseCors();
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseAuthorization();
        Decompression.Use(app);
        var v1 = app.MapGroup("/v1").WithMetadata(new RequestSizeLimitAttribute(options.MaxBodyBytes))
            .Refuses(StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden, StatusCodes.Status429TooManyRequests, StatusCodes.Status503ServiceUnavailable);
        EventEndpoints.Map(v1);
        ErasureEndpoints.Map(v1);
        ItemEndpoints.Map(v1);
        RankingEndpoints.Map(v1);
        ScoreEndpoints.Map(v1);
        EmbeddingEndpoints.Map(v1);
        ModelEndpoints.Map(v1, options);
        TrainingEndpoints.Map(v1);
        DeadLetterEndpoints.Map(v1);
        PipelineEndpoints.Map(v1);
        VariantEndpoints.Map(v1);
        CompareEndpoints.Map(v1);
        app.MapGroup("").AllowAnonymous().MapHealth();
        app.MapMetrics().RequireAuthorization(Scopes.Admin);
        app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous();
        return app;
    }

    public static void AddApiConsumers(this IBusRegistrationConfigurator bus)
    {
        bus.AddDashboardConsumers();
        bus.AddConsumer<IndexSwitchedConsumer>().OfThisInstance();
    }
}
