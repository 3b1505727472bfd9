using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>Waits until what was loaded is applied, then has the server build the graph, and waits for that.</summary>
internal sealed class Settling(QdrantCalls calls, QdrantCollections collections, QdrantOptions options, TimeProvider time)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(0.2), LookAtLeastEvery = TimeSpan.FromSeconds(5);
    private static readonly PointId Nobody = new() { Uuid = Guid.Empty.ToString() };

    public async Task SettleAsync(string collection, CancellationToken cancellationToken)
    {
        await BarrierAsync(collection, cancellationToken).ConfigureAwait(false);
        var state = await StateAsync(collection, cancellationToken).ConfigureAwait(false);
        if (state.Config.OptimizerConfig?.IndexingThreshold is 0 or null)
        {
            var update = new UpdateCollection { CollectionName = collections.Full(collection), OptimizersConfig = new OptimizersConfigDiff { IndexingThreshold = (ulong)options.IndexingThreshold }, Timeout = calls.WriteSeconds };
            await collections.UpdateAsync(collection, update, cancellationToken).ConfigureAwait(false);
        }

        // Twice: between two steps of the work the server may look done for a moment.
        long start = time.GetTimestamp();
        var wait = LookEvery;
        for (int green = 0; ;)
        {
            state = await StateAsync(collection, cancellationToken).ConfigureAwait(false);
            green = IsDone(state) ? green + 1 : 0;
            if (green == 2) return;
            if (time.GetElapsedTime(start) > options.SettleTimeout) throw new IOException($"Qdrant has not indexed {collection} within {options.SettleTimeout} (status {state.Status}); see Qdrant:SettleTimeout.");
            if (state.Status == CollectionStatus.Grey) await BarrierAsync(collection, cancellationToken).ConfigureAwait(false); // after a restart the optimizers wait for a write
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
            if (green == 0 && wait < LookAtLeastEvery) wait *= 2;
        }

        bool IsDone(global::Qdrant.Client.Grpc.CollectionInfo now)
        {
            if (now.OptimizerStatus is { Error.Length: > 0 } broken) throw new IOException($"Qdrant cannot index {collection}: {broken.Error}");
            if (now.Status == CollectionStatus.Red) throw new IOException($"Qdrant has failed to apply writes to {collection}: its status is Red.");
            return now.Status == CollectionStatus.Green && now.UpdateQueue is null or { Length: 0 };
        }
    }

    /// <summary>A shard applies its writes in their order, and a deletion by filter goes to every shard: when it is done, all before it is.</summary>
    private Task BarrierAsync(string collection, CancellationToken cancellationToken)
    {
        var nobody = new Condition { HasId = new HasIdCondition { HasId = { Nobody } } };
        var delete = new DeletePoints { CollectionName = collections.Full(collection), Wait = true, Points = new PointsSelector { Filter = new Filter { Must = { nobody } } }, Timeout = calls.WriteSeconds };
        return calls.ApplyAsync("Points/Delete", collection, wait: true, call => calls.Points.DeleteAsync(delete, call), cancellationToken);
    }

    private async Task<global::Qdrant.Client.Grpc.CollectionInfo> StateAsync(string collection, CancellationToken cancellationToken) =>
        await collections.GetAsync(collection, cancellationToken).ConfigureAwait(false) ?? throw new KeyNotFoundException($"There is no collection {collection} in Qdrant.");
}
