using System.Collections.Concurrent;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Indexer;

/// <summary>
/// Where item events go: the collection in service, those of pinned models and, while one is built, that one too. One gate orders batches of events, the beginning of a build and the
/// switch; so a build knows exactly which events reach its collection by themselves: those from <see cref="Positions"/> on.
/// </summary>
internal sealed class IndexTargets(IndexerMetrics metrics) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private readonly TaskCompletionSource _inService = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, IndexTarget> _served = new(StringComparer.Ordinal);
    // A look at the index may still be using one: they are disposed when that is over.
    private readonly List<IndexTarget> _withdrawn = [];
    private readonly Dictionary<int, long> _positions = [];
    private HashSet<ItemId>? _touched;

    public IndexTarget? Live => Served(IndexReconciliation.Alias);
    public CollectionBuild? Building { get; private set; }

    /// <summary>Who encodes: events or a build.</summary>
    public EncodingTurn Encoding { get; } = new();

    /// <summary>For each partition of <c>items</c> the first offset not yet written to all that is served. Read it inside the gate.</summary>
    public IReadOnlyDictionary<int, long> Positions => _positions;

    /// <summary>Ends when there is a collection to write to.</summary>
    public Task InServiceAsync(CancellationToken cancellationToken) => _inService.Task.WaitAsync(cancellationToken);

    public async Task RestorePositionsAsync(IEventLog log, CancellationToken cancellationToken)
    {
        int partitions = await log.PartitionsAsync(Topics.Items, cancellationToken);
        for (int partition = 0; partition < partitions; partition++)
            _positions[partition] = await log.CommittedAsync(Topics.Items, ReaderGroups.Indexer, partition, cancellationToken);
    }

    /// <summary>Runs <paramref name="step"/> while no event is applied and nothing is switched.</summary>
    public async Task<T> InsideGateAsync<T>(Func<Task<T>> step, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return await step();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Writes changes to all targets and moves the positions of their partitions.</summary>
    public Task ApplyAsync(IReadOnlyCollection<PartitionChanges> partitions, CancellationToken cancellationToken)
    {
        foreach (var (partition, _, changes) in partitions) metrics.Waiting(partition, changes);
        // A key stays in its partition: no item is in two of them.
        IReadOnlyCollection<ItemChange> all = partitions.Count == 1 ? partitions.First().Changes : [.. partitions.SelectMany(partition => partition.Changes)];
        return InsideGateAsync(async () =>
        {
            _touched?.UnionWith(all.Select(change => change.Id));
            foreach (var (alias, target) in _served) await ApplyAsync(alias, target, all, cancellationToken);
            foreach (var (partition, _, changes) in partitions) metrics.Searchable(partition, changes);
            if (Building is not null && !await Building.TryFollowAsync(all, cancellationToken)) Building = null;
            foreach (var (partition, next, _) in partitions) _positions[partition] = next;
            return true;
        }, cancellationToken);
    }

    /// <summary>A pinned collection that an event cannot be written to is in nobody's way: it is no longer what the log says, so its alias goes, and it has to be built anew.</summary>
    private async Task ApplyAsync(string alias, IndexTarget target, IReadOnlyCollection<ItemChange> changes, CancellationToken cancellationToken)
    {
        try
        {
            await target.ApplyAsync(changes, cancellationToken);
        }
        catch (Exception failure) when (alias != IndexReconciliation.Alias && !cancellationToken.IsCancellationRequested)
        {
            await target.WithdrawAsync(alias, failure, cancellationToken);
            _served.TryRemove(alias, out _);
            _withdrawn.Add(target);
        }
    }

    /// <summary>Inside the gate: remembers from here on which items events touch.</summary>
    public void Watch() => _touched = [];

    /// <summary>Inside the gate: the items that events touched since <see cref="Watch"/>; ends the watching.</summary>
    public IReadOnlySet<ItemId> Touched()
    {
        var touched = _touched ?? [];
        _touched = null;
        return touched;
    }

    /// <summary>What is written to under this alias; null: nothing.</summary>
    public IndexTarget? Served(string alias) => _served.GetValueOrDefault(alias);

    /// <summary>Names of all collections that are written to.</summary>
    public IEnumerable<string> Collections => _served.Values.Select(target => target.Collection.Name);

    /// <summary>Inside the gate, or before events flow: they do once <see cref="IndexReconciliation.Alias"/> is served.</summary>
    public void Serve(string alias, IndexTarget target)
    {
        foreach (var withdrawn in _withdrawn) withdrawn.Dispose();
        _withdrawn.Clear();
        _served[alias] = target;
        if (alias == IndexReconciliation.Alias) _inService.TrySetResult();
    }

    /// <summary>Inside the gate.</summary>
    public void SetBuilding(CollectionBuild? build) => Building = build;

    public void Dispose()
    {
        foreach (var target in _served.Values.Concat(_withdrawn)) target.Dispose();
        Encoding.Dispose();
        _gate.Dispose();
    }
}

/// <summary>What a partition's events say about its items, up to <paramref name="Next"/>.</summary>
/// <param name="Next">The offset behind the last event.</param>
internal sealed record PartitionChanges(int Partition, long Next, IReadOnlyCollection<ItemChange> Changes);
