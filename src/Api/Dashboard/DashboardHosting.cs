using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>What the dashboard shows, and the dashboard.</summary>
internal static class DashboardHosting
{
    public static void AddDashboard(this IServiceCollection services)
    {
        services.TryAddSingleton<RequestMeter>();
        services.TryAddSingleton<PipelineNews>();
        services.TryAddSingleton<PipelineWatch>();
        services.TryAddSingleton<ModelComparison>();
        services.TryAddSingleton<ItemFreshness>();
        services.AddHostedService(provider => provider.GetRequiredService<ItemFreshness>());
    }

    /// <summary>To be called right after what turns exceptions into answers: the time of requests is measured from here on.</summary>
    public static void MapDashboard(this WebApplication app)
    {
        app.Use(next => context => app.Services.GetRequiredService<RequestMeter>().MeasureAsync(context, next));
        if (app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.Dashboard) DashboardFiles.Map(app);
    }

    /// <summary>Every instance of the Api hears all news.</summary>
    public static void AddDashboardConsumers(this IBusRegistrationConfigurator bus) =>
        bus.AddConsumer<PipelineNewsConsumer>().OfThisInstance();
}
