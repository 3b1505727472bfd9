using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BeeFormer.Streaming.WindowStore;

public static class WindowStoreServices
{
    /// <summary>Registers the window store on <paramref name="folder"/> and the background task that compacts it.</summary>
    public static IServiceCollection AddWindowStore(this IServiceCollection services, string folder)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => new ParquetWindowStore(folder));
        services.TryAddSingleton<IWindowStore>(provider => provider.GetRequiredService<ParquetWindowStore>());
        services.AddHostedService<SegmentCompaction>();
        return services;
    }
}
