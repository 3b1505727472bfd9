using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>A user is forgotten in every store, on the stores as they are used.</summary>
public sealed class ForgettingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-forgetting-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory(Timeout = 120_000)]
    [InlineData(2)] // the user's events have landed in segments of their own
    [InlineData(100)] // they wait for a segment to close
    public async Task A_forgotten_user_stays_forgotten_when_the_log_is_read_again_into_new_stores(int segmentEvents)
    {
        using (IHost host = Host("first", segmentEvents))
        {
            await host.Services.GetRequiredService<IEventLog>().AppendAsync(Topics.Interactions,
                [By("u", "a"), By("v", "a"), By("u", "b"), By("v", "b"), By("u", "c"), new LogRecord(Encoding.UTF8.GetBytes("u"), null), By("v", "c"), By("v", "d")], Token);
            await CheckAsync(host);
        }
        // As after a crash that took both stores: only the log is left.
        using (IHost host = Host("second", segmentEvents)) await CheckAsync(host);
        // And once more on the stores that there are.
        using (IHost host = Host("second", segmentEvents)) await CheckAsync(host);
    }

    private static async Task CheckAsync(IHost host)
    {
        var windows = host.Services.GetRequiredService<IWindowStore>();
        var profiles = host.Services.GetRequiredService<IProfiles>();
        await host.StartAsync(Token);
        using (var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5)))
            while (windows.NextOffset(Topics.Interactions, 0) < 8) await pause.WaitForNextTickAsync(Token);

        Assert.Equal([new UserId("v")], windows.Read(new WindowQuery()).Users);
        Assert.Equal(4, windows.Describe().Interactions);
        Assert.Empty(await profiles.GetAsync(new UserId("u"), Token));
        Assert.Equal(["d", "c", "b", "a"], (await profiles.GetAsync(new UserId("v"), Token)).Select(interaction => interaction.Item.Value));
        await host.StopAsync(Token);
    }

    private IHost Host(string stores, int segmentEvents)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging();
        builder.Services.AddEmbeddedEventLog(Path.Combine(_folder, "log"));
        builder.Services.AddWindowStore(Path.Combine(_folder, stores, "windows"));
        builder.Services.AddEmbeddedProfiles(Path.Combine(_folder, stores, "profiles"));
        builder.AddIngest();
        builder.Logging.ClearProviders();
        builder.Services.Configure<IngestOptions>(options => { options.SegmentEvents = segmentEvents; options.SegmentAge = TimeSpan.FromMilliseconds(50); });
        return builder.Build();
    }

    private static LogRecord By(string user, string item) =>
        InteractionJson.Record(new InteractionEvent(null, new UserId(user), new ItemId(item), "view", null, 1_769_860_000_000 + item[0], null));
}
