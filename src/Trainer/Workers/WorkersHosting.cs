using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Training over several machines: section <c>Workers</c>.</summary>
public static class WorkersHosting
{
    /// <summary>Offers this process as a worker of other Trainers where <c>Workers:Listen</c> is set. Files lie in the folder of the <see cref="Encoder.EncoderOutputCache"/> in the container, without one in the system's temporary folder.</summary>
    public static IHostApplicationBuilder AddTrainingWorker(this IHostApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        builder.Services.AddWorkers();
        builder.Services.AddHostedService<TrainingWorkerServer>();
        return builder;
    }

    /// <summary>What calls the workers of <c>Workers:Endpoints</c>; may be added twice.</summary>
    internal static void AddWorkers(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(WorkerIdentity))) return;
        services.AddCheckedOptions<WorkersOptions>(WorkersOptions.Section);
        services.AddSingleton<WorkerIdentity>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<WorkerDirectory>();
    }
}
