using BeeFormer.Streaming.VectorIndex.Embedded;
using BeeFormer.Streaming.VectorIndex.Qdrant;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.VectorIndex;

public static class VectorIndexServices
{
    /// <summary>The index on Qdrant where <c>Qdrant:Endpoint</c> is set, else in this process, on <paramref name="folder"/>.</summary>
    public static IServiceCollection AddVectorIndex(this IServiceCollection services, IConfiguration configuration, string folder) =>
        string.IsNullOrWhiteSpace(configuration["Qdrant:Endpoint"]) ? services.AddEmbeddedVectorIndex(folder, configuration) : services.AddQdrantVectorIndex(configuration);

    /// <summary>Registers the index that lives in this process, on <paramref name="folder"/>.</summary>
    /// <param name="configuration">Holds <see cref="EmbeddedIndexOptions"/>; null: as they are by default.</param>
    public static IServiceCollection AddEmbeddedVectorIndex(this IServiceCollection services, string folder, IConfiguration? configuration = null)
    {
        var options = services.AddOptions<EmbeddedIndexOptions>().ValidateDataAnnotations().ValidateOnStart();
        if (configuration is not null) options.Bind(configuration.GetSection(EmbeddedIndexOptions.Section), binder => binder.ErrorOnUnknownConfiguration = true);
        services.TryAddSingleton<IVectorIndex>(provider => new EmbeddedVectorIndex(folder, provider.GetRequiredService<IOptions<EmbeddedIndexOptions>>().Value));
        return services;
    }
}
