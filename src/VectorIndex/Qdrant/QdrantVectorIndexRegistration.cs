using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

public static class QdrantVectorIndexRegistration
{
    /// <summary>Registers the index on the Qdrant server that the section <c>Qdrant</c> names. A server that is away does not stop the start; one that is too old is refused at the first call.</summary>
    public static IServiceCollection AddQdrantVectorIndex(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<QdrantOptions>().Bind(configuration.GetSection(QdrantOptions.Section), binder => binder.ErrorOnUnknownConfiguration = true).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<QdrantOptions>, QdrantOptionsCheck>());
        services.TryAddSingleton<IVectorIndex>(provider =>
            new QdrantVectorIndex(provider.GetRequiredService<IOptions<QdrantOptions>>().Value, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<QdrantVectorIndex>>()));
        return services;
    }
}
