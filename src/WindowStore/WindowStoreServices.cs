using BeeFormer.Streaming.WindowStore.Folder;
using BeeFormer.Streaming.WindowStore.S3;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.WindowStore;

public static class WindowStoreServices
{
    /// <summary>Registers the window store and the background task that keeps it in order.</summary>
    /// <param name="folder">Where the store lies if <c>Storage:Uri</c> names no other place; where copies of objects lie if that is S3.</param>
    public static IServiceCollection AddWindowStore(this IServiceCollection services, string folder)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<StorageOptions>().BindConfiguration(StorageOptions.Section, binder => binder.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<StorageOptions>, StorageOptionsCheck>());
        services.TryAddSingleton(provider => Open(folder, provider.GetRequiredService<IOptions<StorageOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<IWindowStore>(provider => provider.GetRequiredService<ParquetWindowStore>());
        services.AddHostedService<StoreUpkeep>();
        return services;
    }

    /// <summary>Opens the store that the section <c>Storage</c> names, without a host.</summary>
    /// <inheritdoc cref="AddWindowStore"/>
    /// <exception cref="InvalidDataException">A setting is wrong, or another version made the store.</exception>
    public static ParquetWindowStore OpenWindowStore(this IConfiguration configuration, string folder) => Open(folder, configuration.ReadStorageOptions(), TimeProvider.System);

    /// <summary>The section <c>Storage</c>, checked.</summary>
    /// <exception cref="InvalidDataException">A setting is wrong.</exception>
    internal static StorageOptions ReadStorageOptions(this IConfiguration configuration)
    {
        StorageOptions options;
        try
        {
            options = configuration.GetSection(StorageOptions.Section).Get<StorageOptions>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new StorageOptions();
        }
        catch (InvalidOperationException wrong) // an unknown key, or a value that is no time or number
        {
            throw new InvalidDataException($"Section {StorageOptions.Section}: {wrong.Message}", wrong);
        }
        return options.Problem() is { } problem ? throw new InvalidDataException(problem) : options;
    }

    private static ParquetWindowStore Open(string folder, StorageOptions options, TimeProvider time) => options switch
    {
        { Uri: null or "" } => new ParquetWindowStore(folder),
        _ when S3Location.TryParse(options.Uri) is { } location => new ParquetWindowStore(S3Storage.Open(location, folder, options, time)),
        _ => new ParquetWindowStore(S3Location.Folder(options.Uri)),
    };

    private sealed class StorageOptionsCheck : IValidateOptions<StorageOptions>
    {
        public ValidateOptionsResult Validate(string? name, StorageOptions options) =>
            options.Problem() is { } problem ? ValidateOptionsResult.Fail(problem) : ValidateOptionsResult.Success;
    }
}
