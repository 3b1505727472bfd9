using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Ingest;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.WindowStore;

return await new ServiceProgram("ingest", "http://127.0.0.1:8081", [ServerKeys.Kafka, ServerKeys.Redis, ServerKeys.Windows])
{
    Add = builder =>
    {
        builder.Services.AddEventLog(builder.Configuration, ServiceProgram.At(builder.Configuration, "log"));
        builder.Services.AddProfiles(builder.Configuration, ServiceProgram.At(builder.Configuration, "profiles"));
        builder.Services.AddWindowStore(ServiceProgram.At(builder.Configuration, "windows"));
        builder.AddIngest();
    },
}.RunAsync(args);
