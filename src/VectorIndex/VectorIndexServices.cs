using BeeFormer.Streaming.VectorIndex.Embedded;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BeeFormer.Streaming.VectorIndex;

public static class VectorIndexServices
{
    /// <summary>Registers the index that lives in this process, on <paramref name="folder"/>.</summary>
    public static IServiceCollection AddEmbeddedVectorIndex(this IServiceCollection services, string folder)
    {
        services.TryAddSingleton<IVectorIndex>(_ => new EmbeddedVectorIndex(folder));
        return services;
    }
}
