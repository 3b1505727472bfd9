using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Embedded;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>Where a process kills itself.</summary>
internal static class KillStep
{
    public const string AnyMoment = "any moment";
    public const string BeforeWrite = "before write", AfterCreate = "after create", BeforeCommit = "before commit", AfterCommit = "after commit", BeforeProfiles = "before profiles", AfterProfiles = "after profiles";
    public const string BeforeErasure = "before erasure", AfterErasure = "after erasure", BeforeCompaction = "before compaction", AfterCompaction = "after compaction";

    public static string BeforeErasing(string topic) => $"before erasing in {topic}";
    public static string AfterErasing(string topic) => $"after erasing in {topic}";

    public static readonly string[] All = [BeforeWrite, AfterCreate, BeforeCommit, AfterCommit, BeforeProfiles, AfterProfiles, BeforeErasure, AfterErasure, BeforeCompaction, AfterCompaction];
}

/// <summary>Runs in the process that is killed.</summary>
public sealed class KillTarget
{
    public const string FolderVariable = "BEEFORMER_KILL_TARGET", StepVariable = "BEEFORMER_KILL_STEP";
    public const int Partitions = 2;

    [Fact]
    public async Task Sends_and_lands_until_it_is_killed()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (folder is null) Assert.Skip("runs only as the child of another test");
        string[] step = Environment.GetEnvironmentVariable(StepVariable)!.Split(':');
        var kill = new SelfKill(step[0], int.Parse(step[1], CultureInfo.InvariantCulture));
        using var host = Host(folder, kill.At);
        // A host that gives up is a failure, not a wait.
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(() => Environment.Exit(3));
        await host.StartAsync(TestContext.Current.CancellationToken);
        var store = host.Services.GetRequiredService<ParquetWindowStore>();
        var log = host.Services.GetRequiredService<IEventLog>();
        await Task.WhenAny(CompactAsync(store, kill), SentEvents.Of(folder).SendAsync(log, () => LandedAsync(log, store), TestContext.Current.CancellationToken)).Unwrap();
    }

    private static async Task CompactAsync(ParquetWindowStore store, SelfKill kill)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20)); // ingest needs the store's locks, too
        while (await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken))
        {
            kill.At(KillStep.BeforeCompaction);
            if (store.Compact() > 0) kill.At(KillStep.AfterCompaction);
        }
    }

    private static async Task LandedAsync(IEventLog log, ParquetWindowStore store)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        for (int partition = 0; partition < Partitions; partition++)
            while (await log.EndOffsetAsync(Topics.Interactions, partition, TestContext.Current.CancellationToken) - store.NextOffset(Topics.Interactions, partition) > 100)
                await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    internal static IHost Host(string folder, Action<string>? step)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging();
        builder.Services.AddEmbeddedEventLog(Path.Combine(folder, "log"), new EmbeddedEventLogOptions { Partitions = Partitions, MaxRecordBytes = 65536 });
        builder.Services.AddEmbeddedProfiles(Path.Combine(folder, "profiles"));
        builder.Services.AddWindowStore(Path.Combine(folder, "windows"));
        if (step is not null) Steps.Wrap(builder.Services, step);
        builder.AddIngest();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Error).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<IngestOptions>(options => (options.SegmentEvents, options.SegmentAge) = (30, TimeSpan.FromMilliseconds(20)));
        return builder.Build();
    }

    private sealed class SelfKill(string step, int nth)
    {
        private int _met;

        public void At(string here)
        {
            if (here == step && Interlocked.Increment(ref _met) == nth) Process.GetCurrentProcess().Kill();
        }
    }
}
