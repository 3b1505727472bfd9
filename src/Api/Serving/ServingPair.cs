using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Api;

/// <summary>What every answer names: which pair it comes from.</summary>
internal sealed record ServedBy(ModelVersion Version, Fingerprint Fingerprint, long Generation);

/// <summary>
/// A model and the collection that holds its vectors, exchanged only as one. It counts who uses it: the model is disposed when it is out of service and the last
/// request has left.
/// </summary>
internal sealed class ServingPair(ServedBy identity, string collection, IQueryEmbedder embedder)
{
    // One holder is the service itself; 0: disposed.
    private int _holders = 1;

    public ServedBy Identity => identity;
    public string Collection => collection;
    public IQueryEmbedder Embedder => embedder;

    /// <returns>False when the pair is gone.</returns>
    public bool TryEnter()
    {
        int holders = Volatile.Read(ref _holders);
        while (holders > 0)
        {
            int seen = Interlocked.CompareExchange(ref _holders, holders + 1, holders);
            if (seen == holders) return true;
            holders = seen;
        }
        return false;
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref _holders) == 0) embedder.Dispose();
    }
}

/// <summary>The pair in service.</summary>
internal sealed class ServingPairs : IDisposable
{
    private ServingPair? _current;

    /// <summary>Null before the first pair.</summary>
    public ServedBy? Identity => Volatile.Read(ref _current)?.Identity;

    /// <summary>The current pair for the length of a request; null when none serves yet.</summary>
    public PairLease? Enter()
    {
        while (Volatile.Read(ref _current) is { } pair)
            if (pair.TryEnter())
                return new PairLease(pair);
        return null;
    }

    /// <summary>Later requests get <paramref name="next"/>; running ones end with theirs.</summary>
    public void Switch(ServingPair next) => Interlocked.Exchange(ref _current, next)?.Leave();

    public void Dispose() => Interlocked.Exchange(ref _current, null)?.Leave();
}

/// <summary>Keeps a pair alive until disposed.</summary>
internal sealed class PairLease(ServingPair pair) : IDisposable
{
    private int _left;

    public ServedBy Identity => pair.Identity;
    public string Collection => pair.Collection;
    public IQueryEmbedder Embedder => pair.Embedder;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0) pair.Leave();
    }
}
