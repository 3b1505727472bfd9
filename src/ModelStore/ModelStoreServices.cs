using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BeeFormer.Streaming.ModelStore;

public static class ModelStoreServices
{
    /// <summary>Registers the model store on <paramref name="folder"/>.</summary>
    public static IServiceCollection AddModelStore(this IServiceCollection services, string folder)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IModelStore>(provider => new FolderModelStore(folder, provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
