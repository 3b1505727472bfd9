using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Standalone.Erasure;

internal static class ErasureServices
{
    /// <summary>Needs the stores in the container.</summary>
    /// <param name="root">The data folder.</param>
    public static IServiceCollection AddErasureSearch(this IServiceCollection services, string root) => services.AddSingleton<IErasureSearch>(provider => new ErasureSearch(
        provider.GetRequiredService<IEventLog>(), provider.GetRequiredService<IWindowStore>(), provider.GetRequiredService<IProfiles>(), provider.GetRequiredService<IModelStore>(),
        EventClock.Of(provider.GetRequiredService<IConfiguration>()), root));
}
