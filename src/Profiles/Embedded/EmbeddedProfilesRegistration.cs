using BeeFormer.Streaming.Profiles.Embedded;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Profiles;

public static class EmbeddedProfilesRegistration
{
    /// <summary>Profiles in this process's memory, with a snapshot under <paramref name="folder"/>.</summary>
    public static IServiceCollection AddEmbeddedProfiles(this IServiceCollection services, string folder, EmbeddedProfilesOptions? options = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IProfiles>(provider => new EmbeddedProfiles(folder, options ?? new EmbeddedProfilesOptions(), provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
