using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>One reader of a collection: its alias is replaced by one that lasts longer again and again, and removed at the end.</summary>
internal sealed class ReaderHold : IAsyncDisposable
{
    private readonly Func<string, Task<string>> renew;
    private readonly Func<string, Task> remove;
    private readonly ILogger logger;
    private readonly CancellationTokenSource left = new();
    private readonly Task renewing;
    private string alias;
    private int disposed;

    public ReaderHold(string alias, Func<string, Task<string>> renew, Func<string, Task> remove, TimeSpan every, TimeProvider time, ILogger logger)
    {
        (this.alias, this.renew, this.remove, this.logger) = (alias, renew, remove, logger);
        renewing = RenewAsync(every, time);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 1) return;
        await left.CancelAsync().ConfigureAwait(false);
        await renewing.ConfigureAwait(false);
        left.Dispose();
        try
        {
            await remove(alias).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or KeyNotFoundException or ObjectDisposedException)
        {
            logger.LogWarning(failure, "{Alias} could not be removed; it expires by itself", alias);
        }
    }

    private async Task RenewAsync(TimeSpan every, TimeProvider time)
    {
        while (true)
        {
            try
            {
                await Task.Delay(every, time, left.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            try
            {
                alias = await renew(alias).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is IOException or KeyNotFoundException or ObjectDisposedException)
            {
                logger.LogWarning(failure, "{Alias} could not be renewed; next attempt in {Seconds} s", alias, every.TotalSeconds);
            }
        }
    }
}
