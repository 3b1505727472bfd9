using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.VectorIndex;

return await new ServiceProgram("api", Loopback.DefaultUrl, [ServerKeys.Kafka, ServerKeys.Qdrant, ServerKeys.Redis, ServerKeys.Models, ServerKeys.RabbitMq])
{
    Add = builder =>
    {
        Loopback.Check(builder.Configuration["Urls"] is { Length: > 0 } urls ? urls : Loopback.DefaultUrl, keyed: ApiKeyEntry.Read(builder.Configuration).Count > 0);
        builder.Services.AddEventLog(builder.Configuration, ServiceProgram.At(builder.Configuration, "log"));
        builder.Services.AddProfiles(builder.Configuration, ServiceProgram.At(builder.Configuration, "profiles"));
        builder.Services.AddModelStore(builder.Configuration, ServiceProgram.At(builder.Configuration, "models"), mayBeAway: true);
        builder.Services.AddVectorIndex(builder.Configuration, ServiceProgram.At(builder.Configuration, "index"));
        builder.AddControlPlane(bus => bus.AddApiConsumers());
        builder.AddApi();
    },
    Map = application => application.MapApi(),
}.RunAsync(args);
