using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Encoder;

/// <summary>Registers <see cref="EncoderOutputCache"/>: one for all services of a process.</summary>
public static class EncoderCacheServices
{
    /// <param name="folder">Of this machine; what is in it may be lost.</param>
    public static IServiceCollection AddEncoderOutputCache(this IServiceCollection services, string folder)
    {
        services.AddOptions<EncoderCacheOptions>().BindConfiguration(EncoderCacheOptions.Section, binder => binder.ErrorOnUnknownConfiguration = true).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(provider => new EncoderOutputCache(folder, provider.GetRequiredService<IOptions<EncoderCacheOptions>>().Value.MaxBytes, provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
