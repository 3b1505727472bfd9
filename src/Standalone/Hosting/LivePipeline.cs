using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Standalone.Replay;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using MassTransit;

namespace BeeFormer.Streaming.Standalone.Hosting;

/// <summary>
/// The running pipeline as seen by a command that feeds it and waits for it. It only does what a client could: append to the log, ask for a training, read the stores.
/// Waiting looks at the stores, which hold the truth, not at messages.
/// </summary>
internal sealed class LivePipeline(
    IEventLog log, IWindowStore windows, IModelStore models, IVectorIndex index, IBus bus, TrainingBoard board, TimeProvider time)
{
    /// <summary>The name under which the collection in service is known.</summary>
    private const string Alias = "items";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    public IWindowStore Windows => windows;
    public IModelStore Models => models;
    public IVectorIndex Index => index;

    public async Task AppendAsync(IReadOnlyList<ItemEvent> items, CancellationToken cancellationToken)
    {
        foreach (ItemEvent[] batch in items.Chunk(1_000))
            await log.AppendAsync(Topics.Items, [.. batch.Select(item => ItemJson.Record(item))], cancellationToken);
    }

    public async Task AppendAsync(IReadOnlyList<InteractionEvent> interactions, CancellationToken cancellationToken)
    {
        foreach (InteractionEvent[] batch in interactions.Chunk(2_000))
            await log.AppendAsync(Topics.Interactions, [.. batch.Select(interaction => InteractionJson.Record(interaction))], cancellationToken);
    }

    /// <summary>Waits until everything in the topic is durable in the window store.</summary>
    /// <param name="progress">Told the share that has landed.</param>
    public async Task WaitUntilLandedAsync(string topic, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        int partitions = await log.PartitionsAsync(topic, cancellationToken);
        long[] ends = new long[partitions];
        for (int partition = 0; partition < partitions; partition++) ends[partition] = await log.EndOffsetAsync(topic, partition, cancellationToken);
        await UntilAsync(() =>
        {
            long landed = Enumerable.Range(0, partitions).Sum(partition => Math.Min(ends[partition], windows.NextOffset(topic, partition)));
            progress?.Report(ends.Sum() == 0 ? 1 : landed / (double)ends.Sum());
            return ValueTask.FromResult(landed == ends.Sum());
        }, cancellationToken);
    }

    /// <summary>Asks for a training and waits for its end.</summary>
    public async Task<TrainingResult> TrainAsync(TrainingTempo tempo, string reason, CancellationToken cancellationToken, string? policy = null)
    {
        Guid id = Guid.NewGuid();
        Task<TrainingResult> result = board.Expect(id);
        await bus.Publish(new TrainEncoder(id, tempo, reason, policy), cancellationToken);
        return await result.WaitAsync(cancellationToken);
    }

    public Task<CollectionInfo> WaitUntilServedAsync(CancellationToken cancellationToken) => WaitUntilServedAsync(null, cancellationToken);

    /// <summary>Waits until the index answers with the live model's vectors and holds every item of the log.</summary>
    /// <param name="progress">Told how many items the live model's collection holds.</param>
    public async Task<CollectionInfo> WaitUntilServedAsync(IProgress<int>? progress, CancellationToken cancellationToken)
    {
        int partitions = await log.PartitionsAsync(Topics.Items, cancellationToken);
        CollectionInfo? served = null;
        await UntilAsync(async () =>
        {
            if (models.Live is not { } live) return false;
            if (progress is not null) progress.Report(await IndexedAsync(live, cancellationToken));
            if (await index.ResolveAliasAsync(Alias, cancellationToken) is not { } target) return false;
            served = await index.FindAsync(target.Collection, cancellationToken);
            if (served?.Version != live) return false;
            for (int partition = 0; partition < partitions; partition++)
            {
                long end = await log.EndOffsetAsync(Topics.Items, partition, cancellationToken);
                if (await log.CommittedAsync(Topics.Items, ReaderGroups.Indexer, partition, cancellationToken) < end) return false;
            }
            return true;
        }, cancellationToken);
        return served!;
    }

    /// <summary>Items in the model's collection, be it in service or still being built.</summary>
    private async ValueTask<int> IndexedAsync(ModelVersion version, CancellationToken cancellationToken)
    {
        IReadOnlyList<CollectionInfo> collections = await index.ListAsync(cancellationToken);
        return collections.FirstOrDefault(collection => collection.Version == version) is { } building ? (int)await index.CountAsync(building.Name, ItemFilter.None, cancellationToken) : 0;
    }

    /// <summary>The vectors that are being served, in the order of the catalogue.</summary>
    public async Task<ItemVectors> FetchAsync(CollectionInfo collection, IReadOnlyDictionary<ItemId, int> places, CancellationToken cancellationToken)
    {
        float[]?[] rows = new float[]?[places.Count];
        ItemId? after = null;
        while (await index.ScrollAsync(collection.Name, ItemFilter.None, after, 1_000, cancellationToken) is { Count: > 0 } page)
        {
            foreach (IndexedItem item in page)
                if (item.Available && places.TryGetValue(item.Id, out int place)) rows[place] = item.Vector;
            after = page[^1].Id;
        }
        return new ItemVectors(rows, places);
    }

    private async Task UntilAsync(Func<ValueTask<bool>> done, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Look, time);
        while (!await done()) await timer.WaitForNextTickAsync(cancellationToken);
    }
}
