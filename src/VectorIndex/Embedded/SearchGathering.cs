namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>Searches that come while as many run as there are cores for wait for one of these to end, and then share one pass over memory, which is what a search waits for most.</summary>
internal sealed partial class Collection
{
    private const int MaxGathered = 32;
    private readonly Queue<(PreparedQuery[] Queries, TaskCompletionSource<IReadOnlyList<ScoredItem>[]> Done)> waiting = [];
    private int passes; // under the lock of the queue

    public ValueTask<IReadOnlyList<ScoredItem>[]> SearchAsync(PreparedQuery[] queries)
    {
        lock (waiting)
        {
            if (passes >= MostPasses(queries))
            {
                var done = new TaskCompletionSource<IReadOnlyList<ScoredItem>[]>(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting.Enqueue((queries, done));
                return new(done.Task);
            }
            passes++;
        }
        try
        {
            return new(Pass(queries));
        }
        finally
        {
            EndPass();
        }
    }

    /// <summary>A pass over much memory has a second thread, which brings two searches further than a pass for each.</summary>
    private int MostPasses(PreparedQuery[] queries)
    {
        long bytes = 0;
        foreach (var part in newest?.Parts ?? [])
            if (part.Part.Lists is null || Array.Exists(queries, query => query.Exact)) bytes += (long)part.Rows * part.Part.Stride;
        return bytes < Search.MinBytesForTwo ? Environment.ProcessorCount : Math.Max(1, Environment.ProcessorCount / 2);
    }

    private IReadOnlyList<ScoredItem>[] Pass(PreparedQuery[] queries) => Read(snapshot => Search.Run(snapshot, queries, plan.ApproximateFrom > 0));

    private void EndPass()
    {
        lock (waiting)
        {
            if (waiting.Count == 0)
            {
                passes--;
                return;
            }
        }
        ThreadPool.UnsafeQueueUserWorkItem(static collection => collection.PassGathered(), this, preferLocal: false);
    }

    private void PassGathered()
    {
        var gathered = new List<(PreparedQuery[] Queries, TaskCompletionSource<IReadOnlyList<ScoredItem>[]> Done)>();
        lock (waiting)
            for (int queries = 0; queries < MaxGathered && waiting.TryDequeue(out var next); queries += next.Queries.Length) gathered.Add(next);
        try
        {
            if (gathered.Count == 0) return; // another pass took them
            var answers = Pass([.. gathered.SelectMany(search => search.Queries)]);
            int first = 0;
            foreach (var (queries, done) in gathered)
            {
                done.SetResult(answers[first..(first + queries.Length)]);
                first += queries.Length;
            }
        }
        catch (Exception failure)
        {
            foreach (var (_, done) in gathered) done.TrySetException(failure);
        }
        finally
        {
            EndPass();
        }
    }
}
