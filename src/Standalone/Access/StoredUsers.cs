using System.Text;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Ingest;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.Standalone.Erasure;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Trainer;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>On the data folder itself, while no server works on it. To erase, Ingest runs here as it does in a server, and lands what waits in the log, too.</summary>
internal sealed class StoredUsers : IUserAccess
{
    private readonly DataFolder folder;
    private readonly string path;
    private readonly IHost host;
    private bool started;

    /// <param name="folder">Locked; given back on disposal.</param>
    public StoredUsers(DataFolder folder, string path)
    {
        (this.folder, this.path) = (folder, path);
        try
        {
            HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
            builder.Logging.SetMinimumLevel(LogLevel.Error);
            builder.Services.AddEventLog(builder.Configuration, folder.Log);
            builder.Services.AddProfiles(builder.Configuration, folder.Profiles);
            builder.Services.AddWindowStore(folder.Windows);
            builder.Services.AddModelStore(builder.Configuration, folder.Models);
            builder.Services.AddErasureSearch(folder.Root);
            builder.AddIngest();
            host = builder.Build();
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    public string Name => $"Data folder {path} (no server works on it)";

    public async Task EraseAsync(string id, CancellationToken cancellationToken)
    {
        if (Id.Problem("ID", id) is { } bad) throw new InvalidDataException(bad + ".");
        await host.Services.GetRequiredService<IEventLog>().AppendAsync(Topics.Interactions, [new LogRecord(Encoding.UTF8.GetBytes(id), null)], cancellationToken);
        if (!started) await host.StartAsync(cancellationToken);
        started = true;
    }

    public async Task<ErasureReport> VerifyAsync(string id, CancellationToken cancellationToken)
    {
        if (Id.Problem("ID", id) is { } bad) throw new InvalidDataException(bad + ".");
        if (started) ErasureMarks.Apply(host.Services.GetRequiredService<IWindowStore>(), host.Services.GetRequiredService<IModelStore>()); // no trainer runs that would
        return await host.Services.GetRequiredService<IErasureSearch>().FindAsync(new UserId(id), cancellationToken);
    }

    public void Dispose()
    {
        if (started) host.StopAsync().GetAwaiter().GetResult();
        host.Dispose();
        folder.Dispose();
    }
}
