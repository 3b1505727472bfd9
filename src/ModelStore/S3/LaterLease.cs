namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>Of a version whose copy lies here, while the store does not answer: the copy is kept at once, and the version in the store as soon as it answers.</summary>
internal sealed class LaterLease : IDisposable
{
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly IDisposable copy;
    private readonly CancellationTokenSource ended = new();

    /// <param name="asked">What the store was asked and has not answered.</param>
    /// <param name="ask">Asks it again.</param>
    public LaterLease(IDisposable copy, Task<ModelInUse> asked, Func<ModelInUse> ask, TimeProvider time)
    {
        this.copy = copy;
        Held = HoldAsync(asked, ask, time);
    }

    /// <summary>Ends with the lease, or where the version is gone from the store: what is in use here goes on without it.</summary>
    internal Task Held { get; }

    private async Task HoldAsync(Task<ModelInUse> asked, Func<ModelInUse> ask, TimeProvider time)
    {
        while (true)
        {
            try
            {
                using ModelInUse lease = await asked.ConfigureAwait(false);
                await Task.Delay(Timeout.InfiniteTimeSpan, time, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }
            catch (InvalidDataException)
            {
                return;
            }
            catch (IOException)
            {
                await Task.Delay(Pause, time, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            if (ended.IsCancellationRequested) return;
            asked = Task.Run(ask);
        }
    }

    public void Dispose()
    {
        ended.Cancel();
        copy.Dispose();
    }
}
