using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
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
    /// Needs in the container: <see cref="IWindowStore"/>, <see cref="IModelStore"/>, <see cref="ITrainingRecords"/>, <see cref="ILeases"/>, <see cref="EncoderOutputCache"/>, MassTransit with <see cref="AddTrainerConsumers"/>;
    /// optional: <see cref="TrainingCheckpoints"/> (without them a training that is interrupted is lost). Sections <c>Trainer</c> and <c>Encoder</c> and the policy file are checked when the host starts.
    /// </summary>
    public static IHostApplicationBuilder AddTrainer(this IHostApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        IServiceCollection services = builder.Services;
        services.AddCheckedOptions<TrainerOptions>(TrainerOptions.Section);
        services.AddCheckedOptions<BaseEncoderOptions>(BaseEncoderOptions.Section);
        services.TryAddSingleton(provider => new ItemText(provider.GetRequiredService<IOptions<BaseEncoderOptions>>().Value.ItemText));
        services.TryAddSingleton(provider => Policy(provider));
        services.AddSharedModels();
        services.AddWorkers();
        services.AddMetrics();
        services.TryAddSingleton<TrainerMetrics>();
        services.AddControlMessages();
        services.TryAddSingleton<TrainingQueue>();
        services.TryAddSingleton<TrainingJournal>();
        services.TryAddSingleton<BaseModel>();
        services.AddSingleton<BeginTerm>(provider => (lease, tookOver) =>
        {
            IModelStore models = provider.GetRequiredService<IModelStore>().Under(lease);
            T Part<T>(params object[] more) => ActivatorUtilities.CreateInstance<T>(provider, [models, .. more]);
            return new TrainingTerm(lease, Part<TrainingLoop>(Part<BaseModel>(), lease, tookOver), Part<TrainingTriggers>(), Part<ErasureMarking>(), provider.GetRequiredService<TimeProvider>());
        });
        services.AddHostedService<TrainingTerms>();
        return builder;
    }

    /// <summary>The consumers of <c>TrainEncoder</c> and <c>CancelTraining</c>.</summary>
    public static void AddTrainerConsumers(this IBusRegistrationConfigurator bus)
    {
        bus.AddConsumer<TrainEncoderConsumer>().OfThisInstance();
        bus.AddConsumer<CancelTrainingConsumer>().OfThisInstance();
    }

    private static TrainingPolicy Policy(IServiceProvider provider)
    {
        string? file = provider.GetRequiredService<IConfiguration>()[PolicyKey];
        TrainingPolicy policy = string.IsNullOrEmpty(file) ? new TrainingPolicy() : TrainingPolicy.Load(file);
        return provider.GetRequiredService<IOptions<TrainerOptions>>().Value.Override(policy);
    }
}
