namespace BeeFormer.Streaming.Indexer;

/// <summary>
/// Encoding wants every core, so events and a build take turns: a batch of events waits for one slice of the build at most, and a slice for one batch, so that neither starves. Turns come in the order of asking.
/// </summary>
internal sealed class EncodingTurn : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    public async Task<T> TakeAsync<T>(Func<T> encode, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return encode();
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
