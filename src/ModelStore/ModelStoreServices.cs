using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.ModelStore;

public static class ModelStoreServices
{
    /// <summary>Registers the model store, the training records and the leases.</summary>
    /// <param name="folder">Where they lie.</param>
    public static IServiceCollection AddModelStore(this IServiceCollection services, IConfiguration configuration, string folder)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IModelStore>(provider => new FolderModelStore(folder, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<ITrainingRecords>(_ => new FolderTrainingRecords(TrainingsIn(folder)));
        services.TryAddSingleton<ILeases>(provider => Leases.InFolder(LeasesIn(folder), provider.GetRequiredService<TimeProvider>(), provider.GetService<ILogger<Leases>>()));
        return services;
    }

    /// <summary>Where the training records are, beside the models of a store.</summary>
    public static string TrainingsIn(string folder) => Path.Combine(folder, "trainings");

    /// <summary>Where the leases of works are, beside the models of a store.</summary>
    public static string LeasesIn(string folder) => Path.Combine(folder, "holders");
}
