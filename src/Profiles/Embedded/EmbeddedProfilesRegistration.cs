using BeeFormer.Streaming.Profiles.Embedded;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.Profiles;

public static class EmbeddedProfilesRegistration
{
    /// <summary>Profiles in a database under <paramref name="folder"/>, in this process.</summary>
    public static IServiceCollection AddEmbeddedProfiles(this IServiceCollection services, string folder, ProfilesOptions? options = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IProfiles>(provider => new EmbeddedProfiles(
            folder, options ?? new ProfilesOptions(), provider.GetRequiredService<TimeProvider>(), provider.GetService<ILogger<EmbeddedProfiles>>() ?? NullLogger<EmbeddedProfiles>.Instance));
        return services;
    }
}
