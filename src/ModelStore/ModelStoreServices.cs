using BeeFormer.Streaming.ModelStore.S3;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.ModelStore;

public static class ModelStoreServices
{
    /// <summary>Registers the model store, the training records and the leases.</summary>
    /// <param name="folder">Where they lie if <c>Models:Uri</c> names no other place; where copies of models lie if that is S3.</param>
    /// <param name="mayBeAway">Whether the service starts while a place on S3 does not answer: it works with the copies that it has, and the place is looked at when it is asked for something else.</param>
    public static IServiceCollection AddModelStore(this IServiceCollection services, IConfiguration configuration, string folder, bool mayBeAway = false)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<ModelStoreOptions>().Bind(configuration.GetSection(ModelStoreOptions.Section), binder => binder.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ModelStoreOptions>, ModelStoreOptionsCheck>());
        services.TryAddSingleton(provider => ModelPlace.Open(configuration, provider.GetRequiredService<IOptions<ModelStoreOptions>>().Value, folder, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(provider => provider.GetRequiredService<ModelPlace>().OpenModels(mayBeAway));
        services.TryAddSingleton(provider => provider.GetRequiredService<ModelPlace>().OpenTrainings());
        services.TryAddSingleton<ILeases>(provider => provider.GetRequiredService<ModelPlace>().OpenLeases(provider.GetService<ILogger<Leases>>()));
        return services;
    }

    /// <summary>Where the training records are, beside the models of a store.</summary>
    public static string TrainingsIn(string folder) => Path.Combine(folder, "trainings");

    /// <summary>Where the leases of works are, beside the models of a store.</summary>
    public static string LeasesIn(string folder) => Path.Combine(folder, "holders");
}
