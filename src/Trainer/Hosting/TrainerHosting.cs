using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.WindowStore;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The Trainer service: windows become models, the gate decides which of them goes live.</summary>
public static class TrainerHosting
{
    /// <summary>Configuration key of the policy file; absent: the program's own policy.</summary>
    public const string PolicyKey = "Policy";

    /// <summary>
    /// Needs in the container: <see cref="IWindowStore"/>, <see cref="IModelStore"/>, <see cref="EncoderOutputCache"/>, MassTransit with <see cref="AddTrainerConsumers"/>;
    /// optional: <see cref="ItemText"/> (default template). Sections <c>Trainer</c> and <c>Encoder</c> and the policy file are checked when the host starts.
    /// </summary>
    public static IHostApplicationBuilder AddTrainer(this IHostApplicationBuilder builder)
    {
        IServiceCollection services = builder.Services;
        services.AddOptions<TrainerOptions>().BindConfiguration(TrainerOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<BaseEncoderOptions>().BindConfiguration(BaseEncoderOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new ItemText());
        services.TryAddSingleton(provider => Policy(provider));
        services.TryAddSingleton<TrainingQueue>();
        services.TryAddSingleton<BaseModel>();
        services.TryAddSingleton<Rollback>();
        services.AddHostedService<TrainingLoop>();
        services.AddHostedService<TrainingTriggers>();
        return builder;
    }

    /// <summary>Consumers of <c>TrainEncoder</c> and <c>ActivateEncoder</c>.</summary>
    public static void AddTrainerConsumers(this IBusRegistrationConfigurator bus)
    {
        bus.AddConsumer<TrainEncoderConsumer>();
        bus.AddConsumer<ActivateEncoderConsumer>();
    }

    private static TrainingPolicy Policy(IServiceProvider provider)
    {
        string? file = provider.GetRequiredService<IConfiguration>()[PolicyKey];
        TrainingPolicy policy = string.IsNullOrEmpty(file) ? new TrainingPolicy() : TrainingPolicy.Load(file);
        return provider.GetRequiredService<IOptions<TrainerOptions>>().Value.HoldoutShare is { } share ? policy with { HoldoutShare = share } : policy;
    }
}
