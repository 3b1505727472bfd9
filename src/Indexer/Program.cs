using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Indexer;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;

return await new ServiceProgram("indexer", "http://127.0.0.1:8083", [ServerKeys.Kafka, ServerKeys.Qdrant, ServerKeys.Windows, ServerKeys.Models, ServerKeys.RabbitMq])
{
    Add = builder =>
    {
        builder.Services.AddEventLog(builder.Configuration, ServiceProgram.At(builder.Configuration, "log"));
        builder.Services.AddWindowStore(ServiceProgram.At(builder.Configuration, "windows"));
        builder.Services.AddModelStore(builder.Configuration, ServiceProgram.At(builder.Configuration, "models"));
        builder.Services.AddVectorIndex(builder.Configuration, ServiceProgram.At(builder.Configuration, "index"));
        builder.Services.AddEncoderOutputCache(ServiceProgram.At(builder.Configuration, "cache"));
        builder.AddControlPlane(bus => bus.AddIndexerConsumers());
        builder.AddIndexer();
    },
}.RunAsync(args);
