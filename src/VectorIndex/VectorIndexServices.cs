using BeeFormer.Streaming.VectorIndex.Embedded;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.VectorIndex;

public static class VectorIndexServices
{
    /// <summary>Registers the index that lives in this process, on <paramref name="folder"/>.</summary>
    public static IServiceCollection AddEmbeddedVectorIndex(this IServiceCollection services, string folder)
    {
        services.AddOptions<EmbeddedIndexOptions>().BindConfiguration(EmbeddedIndexOptions.Section, binder => binder.ErrorOnUnknownConfiguration = true).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<IVectorIndex>(provider => new EmbeddedVectorIndex(folder, provider.GetRequiredService<IOptions<EmbeddedIndexOptions>>().Value));
        return services;
    }
}
