namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// One pass over the shares of a step. This thread and the workers take them in turn; each gets first what it had in the pass before, whose graphs it may have kept. What a worker cannot finish goes back
/// and is taken by whoever is free.
/// </summary>
/// <param name="hadBy">Worker that had a share in the pass before; null: this machine. Is rewritten.</param>
/// <param name="first">There was no pass before.</param>
internal sealed class ShareDeal<T>(RemoteWorker?[] hadBy, bool first)
{
    private readonly Lock _gate = new();
    private readonly List<int> _waiting = [.. Enumerable.Range(0, hadBy.Length)];
    private readonly Queue<(int Share, T Result)> _results = [];
    private TaskCompletionSource _changed = NewChange();
    private int _missing = hadBy.Length;
    private Exception? _fault;

    /// <param name="here">Computes a share on this thread.</param>
    /// <param name="take">Told each share's result once, on this thread, in any order.</param>
    public void Run(IReadOnlyList<RemoteWorker> workers, Func<int, T> here, Func<RemoteWorker, int, CancellationToken, Task<T>> there, Action<int, T> take)
    {
        using var stop = new CancellationTokenSource();
        Task[] lanes = [.. workers.SelectMany(worker => Enumerable.Repeat(worker, RemoteWorker.Lanes)).Select(worker => Task.Run(() => LaneAsync(worker, there, stop.Token)))];
        try
        {
            while (Volatile.Read(ref _missing) > 0)
            {
                Task changed = Changed();
                if (TryResult(out int share, out T result)) take(share, result);
                else if (TryTake(null, out share))
                {
                    result = here(share);
                    Change(() => _missing--);
                    take(share, result);
                }
                else changed.Wait();
            }
        }
        finally
        {
            stop.Cancel();
            Task.WaitAll(lanes);
        }
    }

    private async Task LaneAsync(RemoteWorker worker, Func<RemoteWorker, int, CancellationToken, Task<T>> there, CancellationToken stop)
    {
        try
        {
            await worker.Weights.WaitAsync(stop).ConfigureAwait(false);
            while (true)
            {
                Task changed = Changed();
                if (Volatile.Read(ref _missing) == 0) return;
                if (!TryTake(worker, out int share))
                {
                    await changed.WaitAsync(stop).ConfigureAwait(false);
                    continue;
                }
                try
                {
                    T result = await there(worker, share, stop).ConfigureAwait(false);
                    Change(() => _results.Enqueue((share, result)));
                }
                catch
                {
                    Change(() => _waiting.Add(share));
                    throw;
                }
            }
        }
        catch (Exception gone) when (gone is WorkerGoneException or OperationCanceledException)
        {
            // Others do its part; the worker knows itself why it went.
        }
        catch (Exception fault)
        {
            Change(() => _fault ??= fault);
        }
    }

    private bool TryResult(out int share, out T result)
    {
        lock (_gate)
        {
            if (_fault is not null) throw new InvalidOperationException("A worker's part of a step failed for a reason that is not the worker's.", _fault);
            bool any = _results.TryDequeue(out (int Share, T Result) next);
            (share, result) = next;
            if (any) _missing--;
            return any;
        }
    }

    private bool TryTake(RemoteWorker? who, out int share)
    {
        lock (_gate)
        {
            int at = first ? 0 : _waiting.FindIndex(n => hadBy[n] == who);
            if (at < 0) at = _waiting.Count - 1;
            share = -1;
            if (at < 0 || at >= _waiting.Count) return false;
            share = _waiting[at];
            _waiting.RemoveAt(at);
            hadBy[share] = who;
            return true;
        }
    }

    private Task Changed()
    {
        lock (_gate) return _changed.Task;
    }

    private void Change(Action change)
    {
        TaskCompletionSource before;
        lock (_gate)
        {
            change();
            (before, _changed) = (_changed, NewChange());
        }
        before.SetResult();
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>A worker is of no use for the moment; what it had to do is done by another.</summary>
internal sealed class WorkerGoneException(string message, Exception inner) : IOException(message, inner);
