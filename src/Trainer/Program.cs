using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.Trainer;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;

return await new ServiceProgram("trainer", "http://127.0.0.1:8082", [ServerKeys.Windows, ServerKeys.Models, ServerKeys.RabbitMq])
{
    Add = builder =>
    {
        builder.Services.AddWindowStore(ServiceProgram.At(builder.Configuration, "windows"));
        builder.Services.AddModelStore(builder.Configuration, ServiceProgram.At(builder.Configuration, "models"));
        builder.Services.AddEncoderOutputCache(ServiceProgram.At(builder.Configuration, "cache"));
        builder.Services.AddSingleton(new TrainingCheckpoints(ServiceProgram.At(builder.Configuration, "checkpoints")));
        builder.AddControlPlane(bus => bus.AddTrainerConsumers());
        builder.AddTrainer();
        builder.AddTrainingWorker();
    },
}.RunAsync(args);
