using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>Keeps the number of segments small while events flow in.</summary>
internal sealed partial class SegmentCompaction(ParquetWindowStore store, TimeProvider time, ILogger<SegmentCompaction> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
                await Task.Run(CompactOnce, stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private void CompactOnce()
    {
        try
        {
            int gone = store.Compact();
            if (gone > 0) LogCompacted(gone);
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException)
        {
            LogFailed(failure); // nothing is lost: the small segments stay readable, and the next round tries again
        }
    }

    [LoggerMessage(1300, LogLevel.Information, "Compaction merged {Segments} segments away")]
    private partial void LogCompacted(int segments);

    [LoggerMessage(1301, LogLevel.Error, "Compaction failed; the segments stay as they are")]
    private partial void LogFailed(Exception failure);
}
