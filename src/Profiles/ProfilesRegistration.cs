using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Profiles;

public static class ProfilesRegistration
{
    /// <summary>Profiles in Redis where <c>Redis:Configuration</c> is set, else in a database under <paramref name="folder"/>.</summary>
    public static IServiceCollection AddProfiles(this IServiceCollection services, IConfiguration configuration, string folder)
    {
        var options = Options(configuration);
        services.TryAddSingleton(options);
        return string.IsNullOrEmpty(configuration[RedisProfilesRegistration.ConfigurationKey]) ? services.AddEmbeddedProfiles(folder, options) : services.AddRedisProfiles(configuration);
    }

    /// <exception cref="OptionsValidationException">A setting is unknown or out of its range; the sentence names it.</exception>
    internal static ProfilesOptions Options(IConfiguration configuration)
    {
        var options = new ProfilesOptions();
        try
        {
            configuration.GetSection(ProfilesOptions.Section).Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException e)
        {
            throw new OptionsValidationException(ProfilesOptions.Section, typeof(ProfilesOptions), [$"{ProfilesOptions.Section}: {e.Message} {e.InnerException?.Message}".TrimEnd()]);
        }
        return options.Checked();
    }
}
