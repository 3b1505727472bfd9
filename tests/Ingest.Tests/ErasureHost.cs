using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.DeadLetters;
using BeeFormer.Streaming.EventLog.Embedded;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>Ingest on embedded parts with the events of one user who asks to be erased between those of one who does not.</summary>
internal static class ErasureHost
{
    private const int Events = 40;
    private static readonly TimeSpan Clock = TimeSpan.FromMinutes(5);

    public static IHost Of(string folder, Action<string>? step)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging();
        builder.Services.AddEmbeddedEventLog(Path.Combine(folder, "log"), new EmbeddedEventLogOptions { Partitions = 2, MaxRecordBytes = 65536 });
        builder.Services.AddEmbeddedProfiles(Path.Combine(folder, "profiles"));
        builder.Services.AddWindowStore(Path.Combine(folder, "windows"));
        if (step is not null) Steps.Wrap(builder.Services, step);
        builder.AddIngest();
        builder.Logging.ClearProviders();
        builder.Services.Configure<IngestOptions>(options => (options.SegmentEvents, options.SegmentAge) = (15, TimeSpan.FromMilliseconds(20)));
        return builder.Build();
    }

    /// <summary>Events of both in turn; unreadable messages under the key of each, and one about the first under a key of the other; then the request.</summary>
    /// <param name="beforeRequest">Waited for between them.</param>
    public static async Task FillAsync(IHost host, string gone, string other, CancellationToken cancellationToken, Func<Task>? beforeRequest = null)
    {
        var log = host.Services.GetRequiredService<IEventLog>();
        var records = new List<LogRecord>();
        for (int n = 0; n < Events; n++)
        {
            records.Add(By(gone, $"a{n}", 1_769_000_000_000 + n));
            records.Add(By(other, $"b{n}", 1_769_000_000_000 + n));
        }
        records.Add(new LogRecord(Utf8(gone), Utf8("{\"torn\": ")));
        records.Add(new LogRecord(Utf8(other), Utf8("{\"torn\": ")));
        records.Add(new LogRecord(Utf8(other), Utf8($$"""{"user_id":"{{gone}}","item_id":"x","type":"view"}"""))); // not the message's key
        await log.AppendAsync(Topics.Interactions, records, cancellationToken);
        if (beforeRequest is not null) await beforeRequest();
        await log.AppendAsync(Topics.Interactions, [new LogRecord(Utf8(gone), null), By(other, "last", 1_769_000_000_000)], cancellationToken);
    }

    public static LogRecord By(string user, string item, long timestampMs) => InteractionJson.Record(new InteractionEvent(null, new UserId(user), new ItemId(item), "view", null, timestampMs, null));

    public static async Task LandedAsync(IHost host, CancellationToken cancellationToken)
    {
        var log = host.Services.GetRequiredService<IEventLog>();
        var windows = host.Services.GetRequiredService<IWindowStore>();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        for (int partition = 0; partition < 2; partition++)
            while (windows.NextOffset(Topics.Interactions, partition) < await log.EndOffsetAsync(Topics.Interactions, partition, cancellationToken)) await pause.WaitForNextTickAsync(cancellationToken);
    }

    public static async Task UntilErasedAsync(IHost host, string gone, CancellationToken cancellationToken)
    {
        var log = host.Services.GetRequiredService<IEventLog>();
        await LandedAsync(host, cancellationToken);
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while ((await LogTraces.FindAsync(log, new UserId(gone), Clock, cancellationToken)).Found.Count > 0) await pause.WaitForNextTickAsync(cancellationToken);
    }

    /// <param name="more">Events of the other user beyond those of <see cref="FillAsync"/>.</param>
    public static async Task CheckAsync(IHost host, string gone, string other, CancellationToken cancellationToken, int more = 0)
    {
        var windows = host.Services.GetRequiredService<IWindowStore>();
        var profiles = host.Services.GetRequiredService<IProfiles>();
        Assert.Empty(windows.FindUser(new UserId(gone)));
        Assert.Equal([new UserId(other)], windows.Read(new WindowQuery()).Users);
        Assert.Equal(Events + 1 + more, windows.Describe().Interactions);
        Assert.Empty(await profiles.GetAsync(new UserId(gone), cancellationToken));
        Assert.Equal(Events + 1 + more, (await profiles.GetAsync(new UserId(other), cancellationToken)).Count);
        using var letters = new DeadLetterLog(host.Services.GetRequiredService<IEventLog>(), Clock, TimeProvider.System);
        Assert.Equal(1, (await letters.ListAsync(new DeadLetterFilter(null, null), null, 10, cancellationToken)).Total);
        var left = await LogTraces.FindAsync(host.Services.GetRequiredService<IEventLog>(), new UserId(other), Clock, cancellationToken);
        Assert.Equal(Events + 2 + more, left.Found.Where(trace => trace.Topic == Topics.Interactions).Sum(trace => trace.Messages));
    }

    public static List<string> FilesHolding(string folder, string text)
    {
        byte[] sought = Utf8(text);
        return [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(path =>
        {
            if (new FileInfo(path).Length == 0) return false; // locks
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes.AsSpan().IndexOf(sought) >= 0;
        })];
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
