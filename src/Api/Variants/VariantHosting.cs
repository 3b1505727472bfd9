using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>Policies side by side: who is served by which, and what comes of it.</summary>
internal static class VariantHosting
{
    public static void AddVariants(this IServiceCollection services)
    {
        services.AddMetrics();
        services.AddCheckedOptions<ExperimentOptions>(ExperimentOptions.Section);
        services.TryAddSingleton(provider =>
        {
            var models = provider.GetRequiredService<IModelStore>();
            var ranking = provider.GetRequiredService<IOptionsFactory<RankingOptions>>();
            return new Variants(VariantEntry.Read(provider.GetRequiredService<IConfiguration>(), () => ranking.Create(Options.DefaultName), version => models.Find(version) is not null),
                provider.GetRequiredService<IOptions<RankingOptions>>().Value, provider.GetRequiredService<IOptions<ExperimentOptions>>().Value.Salt);
        });
        services.TryAddSingleton<PinnedPairs>();
        services.TryAddSingleton<VariantMetrics>();
        services.TryAddSingleton<Impressions>();
        services.TryAddSingleton<InteractionWatching>();
        services.AddHostedService(provider => provider.GetRequiredService<InteractionWatching>());
    }
}
