using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Encoder;

/// <summary>Registers <see cref="SharedModels"/>: one for all services of a process.</summary>
public static class SharedModelsServices
{
    /// <summary>Setting that names an <see cref="EncoderArithmetic"/>; absent: auto.</summary>
    public const string ArithmeticSetting = "Encoder:Arithmetic";

    /// <summary>Setting that names the folder of the items' pictures; absent: no pictures.</summary>
    public const string PicturesSetting = "Images:Folder";

    /// <exception cref="InvalidOperationException">When first used: a setting names no arithmetic, or a folder that does not exist.</exception>
    public static IServiceCollection AddSharedModels(this IServiceCollection services)
    {
        services.TryAddSingleton(provider => new SharedModels(provider.GetRequiredService<IConfiguration>().GetValue(ArithmeticSetting, EncoderArithmetic.Auto), Pictures(provider)));
        return services;
    }

    private static PictureFolder? Pictures(IServiceProvider provider)
    {
        string? folder = provider.GetRequiredService<IConfiguration>()[PicturesSetting];
        if (string.IsNullOrEmpty(folder)) return null;
        if (!Directory.Exists(folder)) throw new InvalidOperationException($"{PicturesSetting} is '{folder}'; expected an existing folder.");
        return new PictureFolder(folder, logger: provider.GetService<ILogger<PictureFolder>>());
    }
}
