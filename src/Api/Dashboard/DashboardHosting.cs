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

    /// <summary>Before anything else that looks at requests: all of their time is measured.</summary>
    public static void MapDashboard(this WebApplication app)
    {
        app.Use(next => context => app.Services.GetRequiredService<RequestMeter>().MeasureAsync(context, next));
        if (app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.Dashboard) DashboardFiles.Map(app);
    }

    /// <summary>Every instance of the Api hears all news.</summary>
    public static void AddDashboardConsumers(this IBusRegistrationConfigurator bus) =>
        bus.AddConsumer<PipelineNewsConsumer>().Endpoint(endpoint => { endpoint.InstanceId = Guid.NewGuid().ToString("N"); endpoint.Temporary = true; });
}
