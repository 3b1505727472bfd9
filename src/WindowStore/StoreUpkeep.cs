using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>While events flow in: drops what is too old, keeps the number of segments small, and sees that erased users stay erased.</summary>
internal sealed partial class StoreUpkeep(ParquetWindowStore store, IOptions<StorageOptions> options, TimeProvider time, ILogger<StoreUpkeep> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
                await Task.Run(RunOnce, stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private void RunOnce()
    {
        try
        {
            if (options.Value.Retention is { } retention && store.DropBefore(time.GetUtcNow() - retention) is > 0 and var dropped) LogDropped(dropped, retention);
            if (store.Compact() is > 0 and var gone) LogCompacted(gone);
            if (store.FinishErasures() is > 0 and var rows) LogErased(rows);
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException)
        {
            LogFailed(failure); // nothing is lost: the segments stay readable, and the next round tries again
        }
    }

    [LoggerMessage(1300, LogLevel.Information, "Compaction merged {Segments} segments away")]
    private partial void LogCompacted(int segments);

    [LoggerMessage(1301, LogLevel.Error, "Upkeep of the window store failed; the segments stay readable, and the next round tries again")]
    private partial void LogFailed(Exception failure);

    [LoggerMessage(1302, LogLevel.Information, "Retention dropped the rows of {Segments} segments older than {Retention}")]
    private partial void LogDropped(int segments, TimeSpan retention);

    [LoggerMessage(1303, LogLevel.Information, "Removed {Rows} rows of erased users that a late writer or an unfinished erasure had left")]
    private partial void LogErased(int rows);
}
