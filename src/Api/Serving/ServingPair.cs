using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api;

/// <summary>What every answer names: which pair it comes from.</summary>
internal sealed record ServedBy(ModelVersion Version, Fingerprint Fingerprint, long Generation);

/// <summary>
/// A model and the collection that holds its vectors, exchanged only as one. It counts who uses it: when it is out of service and the last request has left, the
/// model is disposed and the collection may be dropped.
/// </summary>
/// <param name="hold">Keeps the collection from being dropped.</param>
internal sealed class ServingPair(ServedBy identity, string collection, IQueryEmbedder embedder, IAsyncDisposable hold)
{
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // One holder is the service itself; 0: disposed.
    private int _holders = 1;

    public ServedBy Identity => identity;
    public string Collection => collection;
    public IQueryEmbedder Embedder => embedder;

    /// <summary>Ends when model and collection are given back.</summary>
    public Task Gone => _gone.Task;

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

    /// <returns>True: this was the last holder.</returns>
    public bool Leave()
    {
        if (Interlocked.Decrement(ref _holders) > 0) return false;
        _ = GiveBackAsync();
        return true;
    }

    /// <summary>Nobody waits for the index here: the request that leaves last should not.</summary>
    private async Task GiveBackAsync()
    {
        try
        {
            embedder.Dispose();
            await hold.DisposeAsync();
        }
        catch (IOException)
        {
            // The index cannot be reached; it forgets the reader by itself.
        }
        finally
        {
            _gone.SetResult();
        }
    }
}

/// <summary>The pair in service.</summary>
internal sealed class ServingPairs(HiddenItems hidden) : IDisposable, IAsyncDisposable
{
    private ServingPair? _current;

    /// <summary>Null before the first pair.</summary>
    public ServedBy? Identity => Volatile.Read(ref _current)?.Identity;

    /// <summary>The current pair for the length of a request; null when none serves yet, or not all is known that must be hidden.</summary>
    public PairLease? Enter()
    {
        if (!hidden.IsComplete) return null;
        // Looked at before the pair is taken: what is released later is known to the collection of a later pair, perhaps not to this one's.
        var hiddenAtStart = hidden.Current;
        while (Volatile.Read(ref _current) is { } pair)
            if (pair.TryEnter())
                return new PairLease(pair, hidden, hiddenAtStart);
        return null;
    }

    /// <summary>Later requests get <paramref name="next"/>; running ones end with theirs.</summary>
    public void Switch(ServingPair next) => Interlocked.Exchange(ref _current, next)?.Leave();

    /// <summary>Later requests get none.</summary>
    public void Clear() => Interlocked.Exchange(ref _current, null)?.Leave();

    public void Dispose() => Clear();

    /// <summary>Also waits for the index to hear of it, where no request is left.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _current, null) is { } last && last.Leave()) await last.Gone;
    }
}

/// <summary>A request's view: one pair, kept alive until disposed, and what must not be shown.</summary>
internal sealed class PairLease(ServingPair pair, HiddenItems hidden, IReadOnlySet<ItemId> hiddenAtStart) : IDisposable
{
    private int _left;

    public ServedBy Identity => pair.Identity;
    public string Collection => pair.Collection;
    public IQueryEmbedder Embedder => pair.Embedder;

    /// <summary>The item was deleted or made unavailable before the request began, or since. To be asked of everything that an answer names, last of all.</summary>
    public bool Hides(ItemId item) => hiddenAtStart.Contains(item) || hidden.Current.Contains(item);

    /// <summary>The filter without what is hidden by now.</summary>
    public ItemFilter Shown(ItemFilter filter)
    {
        var now = hidden.Current;
        filter = filter.Without(hiddenAtStart);
        return ReferenceEquals(now, hiddenAtStart) ? filter : filter.Without(now);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0) pair.Leave();
    }
}
