using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Ingest.Tests;

public sealed class FullDiskTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 240_000)]
    [InlineData(true)] // the log is on the full disk, too: producers are refused
    [InlineData(false)] // the stores alone: producers go on, the log holds what cannot land
    public async Task A_full_disk_holds_events_up_is_visible_and_goes_on_when_there_is_space(bool logOnIt)
    {
        using var disk = SmallDisk.Mount(64);
        string elsewhere = Directory.CreateTempSubdirectory("beeformer-full-disk-").FullName;
        try
        {
            using (var host = Host(disk.Folder, logOnIt ? disk.Folder : elsewhere))
            {
                var log = host.Services.GetRequiredService<IEventLog>();
                var windows = host.Services.GetRequiredService<IWindowStore>();
                var health = host.Services.GetRequiredService<HealthCheckService>();
                await host.StartAsync(Token);
                int sent = 0;
                for (int batch = 0; batch < 10; batch++) sent += await SendAsync(log, sent);
                await UntilAsync(() => Task.FromResult(windows.NextOffset(Topics.Interactions, 0) == sent));

                disk.Fill(restBytes: 64 << 10);
                bool refused = false;
                for (int batch = 0; batch < 400 && !refused; batch++)
                {
                    try
                    {
                        sent += await SendAsync(log, sent);
                    }
                    catch (IOException)
                    {
                        refused = true; // all of the batch: what is sent again does not come twice
                    }
                }
                Assert.Equal(logOnIt, refused);
                if (!logOnIt) await UntilAsync(async () => (await health.CheckHealthAsync(Token)).Status != HealthStatus.Healthy);

                disk.Free();
                for (int batch = 0; batch < 10; batch++) sent += await SendAsync(log, sent);
                await UntilAsync(() => Task.FromResult(windows.NextOffset(Topics.Interactions, 0) == sent));
                await UntilAsync(async () => (await health.CheckHealthAsync(Token)).Status == HealthStatus.Healthy);
                await host.StopAsync(Token);
                Assert.Equal(Enumerable.Range(0, sent).Select(n => ((long)n, $"i{n}")), LandedRows.Read(Path.Combine(disk.Folder, "windows")).Select(row => (row.Offset, row.Item)));
            }
        }
        finally
        {
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    private static async Task<int> SendAsync(IEventLog log, int from)
    {
        await log.AppendAsync(Topics.Interactions, [.. Enumerable.Range(from, 200).Select(n => new LogRecord("u"u8.ToArray(), Encoding.UTF8.GetBytes(
            $$"""{"event_id":"{{new Guid(n, 0, 0, new byte[8])}}","user_id":"u","item_id":"i{{n}}","type":"view","filler":"{{new string('x', 300)}}"}""")))], Token);
        return 200;
    }

    private static IHost Host(string disk, string log)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging();
        builder.Services.AddEmbeddedEventLog(Path.Combine(log, "log"), new EventLog.Embedded.EmbeddedEventLogOptions { MaxRecordBytes = 65536 });
        builder.Services.AddEmbeddedProfiles(Path.Combine(disk, "profiles"));
        builder.Services.AddWindowStore(Path.Combine(disk, "windows"));
        builder.AddIngest();
        builder.Logging.ClearProviders();
        builder.Services.Configure<IngestOptions>(options => (options.SegmentEvents, options.SegmentAge, options.RetryDelay, options.MaxRetryDelay) =
            (150, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(50)));
        return builder.Build();
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!await condition()) await timer.WaitForNextTickAsync(Token);
    }
}
