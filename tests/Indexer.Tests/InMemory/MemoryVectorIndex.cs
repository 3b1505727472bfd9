using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.InMemory;

/// <summary>The index's contract in a few dictionaries.</summary>
internal sealed class MemoryVectorIndex : IVectorIndex
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, CollectionInfo> _collections = [];
    private readonly Dictionary<string, Dictionary<ItemId, IndexedItem>> _items = [];
    private readonly Dictionary<string, Dictionary<ItemId, long>> _tombstones = [];
    private readonly Dictionary<string, AliasTarget> _aliases = [];
    private readonly List<Hold> _holds = [];

    /// <summary>Called before each upsert, outside the lock: to fail, to wait, to look.</summary>
    public Func<string, IReadOnlyList<IndexedItem>, Task> OnUpsert { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Called before a collection is searched, fetched from or held, outside the lock: to fail, to wait, to look.</summary>
    public Func<string, Task> OnRead { get; set; } = _ => Task.CompletedTask;

    /// <summary>Called with the method's name before each call, outside the lock: to fail.</summary>
    public Action<string> OnCall { get; set; } = _ => { };

    /// <summary>As if this write had never come, though it was acknowledged: puts the item back as it was before, or away.</summary>
    public void Forget(string collection, ItemId id, IndexedItem? before = null)
    {
        lock (_lock)
        {
            _tombstones[collection].Remove(id);
            if (before is null) _items[collection].Remove(id);
            else _items[collection][id] = before;
        }
    }

    /// <summary>As if the alias had never been.</summary>
    public void ForgetAlias(string alias)
    {
        lock (_lock) _aliases.Remove(alias);
    }

    public ValueTask CreateAsync(CollectionInfo collection, CancellationToken cancellationToken)
    {
        OnCall(nameof(CreateAsync));
        lock (_lock)
        {
            if (_collections.TryGetValue(collection.Name, out var known))
                return known == collection ? ValueTask.CompletedTask : throw new InvalidOperationException($"Collection {collection.Name} exists with other properties: {known}.");
            _collections.Add(collection.Name, collection);
            _items[collection.Name] = [];
            _tombstones[collection.Name] = [];
            return ValueTask.CompletedTask;
        }
    }

    public ValueTask<CollectionInfo?> FindAsync(string collection, CancellationToken cancellationToken)
    {
        OnCall(nameof(FindAsync));
        lock (_lock) return ValueTask.FromResult(_collections.GetValueOrDefault(collection));
    }

    public ValueTask<IReadOnlyList<CollectionInfo>> ListAsync(CancellationToken cancellationToken)
    {
        OnCall(nameof(ListAsync));
        lock (_lock) return ValueTask.FromResult<IReadOnlyList<CollectionInfo>>([.. _collections.Values]);
    }

    public async ValueTask UpsertAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken cancellationToken)
    {
        OnCall(nameof(UpsertAsync));
        await OnUpsert(collection, items);
        lock (_lock)
            foreach (var item in items)
            {
                if (_items[collection].TryGetValue(item.Id, out var stored) && stored.Revision >= item.Revision) continue;
                if (_tombstones[collection].TryGetValue(item.Id, out long deleted) && deleted >= item.Revision) continue;
                double length = Math.Sqrt(item.Vector.Sum(value => (double)value * value));
                _items[collection][item.Id] = item with { Vector = [.. item.Vector.Select(value => (float)(value / length))] };
            }
    }

    public ValueTask DeleteAsync(string collection, IReadOnlyList<(ItemId Id, long Revision)> items, CancellationToken cancellationToken)
    {
        OnCall(nameof(DeleteAsync));
        lock (_lock)
            foreach (var (id, revision) in items)
            {
                if (_items[collection].TryGetValue(id, out var stored) && stored.Revision >= revision) continue;
                _items[collection].Remove(id);
                _tombstones[collection][id] = Math.Max(revision, _tombstones[collection].GetValueOrDefault(id));
            }
        return ValueTask.CompletedTask;
    }

    public ValueTask LoadAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken cancellationToken) => UpsertAsync(collection, items, cancellationToken);

    public ValueTask SettleAsync(string collection, CancellationToken cancellationToken)
    {
        OnCall(nameof(SettleAsync));
        return ValueTask.CompletedTask;
    }

    public ValueTask<long> CountAsync(string collection, ItemFilter filter, CancellationToken cancellationToken)
    {
        OnCall(nameof(CountAsync));
        lock (_lock) return ValueTask.FromResult(_items[collection].Values.LongCount(filter.Admits));
    }

    public async ValueTask<IReadOnlyList<IReadOnlyList<ScoredItem>>> SearchAsync(string collection, IReadOnlyList<SearchQuery> queries, CancellationToken cancellationToken)
    {
        await OnRead(collection);
        lock (_lock) return [.. queries.Select(query => Search(collection, query))];
    }

    private List<ScoredItem> Search(string collection, SearchQuery query)
    {
        if (query.Vector.Fingerprint != _collections[collection].Fingerprint) throw new FingerprintMismatchException(query.Vector.Fingerprint, _collections[collection].Fingerprint);
        return [.. _items[collection].Values
            .Where(item => item.Available && query.Filter.Admits(item))
            .Select(item => new ScoredItem(item.Id, Dot(item.Vector, query.Vector.Values.Span), item.Title))
            .OrderByDescending(item => item.Score).ThenBy(item => item.Id).Take(query.K)];
    }

    public async ValueTask<IReadOnlyList<IndexedItem>> FetchAsync(string collection, IReadOnlyList<ItemId> ids, CancellationToken cancellationToken)
    {
        OnCall(nameof(FetchAsync));
        await OnRead(collection);
        lock (_lock) return [.. ids.Distinct().Where(_items[collection].ContainsKey).Select(id => _items[collection][id])];
    }

    public ValueTask<IReadOnlyList<IndexedItem>> ScrollAsync(string collection, ItemFilter filter, ItemId? after, int limit, CancellationToken cancellationToken)
    {
        OnCall(nameof(ScrollAsync));
        lock (_lock)
            return ValueTask.FromResult<IReadOnlyList<IndexedItem>>(
                [.. _items[collection].Values.Where(filter.Admits).OrderBy(item => item.Id).Where(item => after is null || item.Id.CompareTo(after.Value) > 0).Take(limit)]);
    }

    public async ValueTask<IReadOnlyList<(ItemId Id, long Revision)>> RevisionsAsync(string collection, ItemId? after, int limit, CancellationToken cancellationToken) =>
        [.. (await ScrollAsync(collection, ItemFilter.None, after, limit, cancellationToken)).Select(item => (item.Id, item.Revision))];

    public ValueTask<long> PointAliasAsync(string alias, string collection, CancellationToken cancellationToken)
    {
        OnCall(nameof(PointAliasAsync));
        lock (_lock)
        {
            var before = _aliases.GetValueOrDefault(alias);
            if (before?.Collection != collection) _aliases[alias] = new AliasTarget(collection, (before?.Generation ?? 0) + 1);
            return ValueTask.FromResult(_aliases[alias].Generation);
        }
    }

    public ValueTask<AliasTarget?> ResolveAliasAsync(string alias, CancellationToken cancellationToken)
    {
        OnCall(nameof(ResolveAliasAsync));
        lock (_lock) return ValueTask.FromResult(_aliases.GetValueOrDefault(alias));
    }

    public ValueTask<IReadOnlyList<string>> AliasesAsync(CancellationToken cancellationToken)
    {
        OnCall(nameof(AliasesAsync));
        lock (_lock) return ValueTask.FromResult<IReadOnlyList<string>>([.. _aliases.Keys]);
    }

    public ValueTask RemoveAliasAsync(string alias, CancellationToken cancellationToken)
    {
        OnCall(nameof(RemoveAliasAsync));
        lock (_lock) _aliases.Remove(alias);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<IAsyncDisposable> HoldAsync(string collection, CancellationToken cancellationToken)
    {
        await OnRead(collection);
        lock (_lock)
        {
            if (!_collections.ContainsKey(collection)) throw new KeyNotFoundException($"There is no collection {collection}.");
            var hold = new Hold(this, collection);
            _holds.Add(hold);
            return hold;
        }
    }

    public ValueTask<bool> DropAsync(string collection, CancellationToken cancellationToken)
    {
        OnCall(nameof(DropAsync));
        lock (_lock)
        {
            if (_aliases.Values.Any(alias => alias.Collection == collection) || _holds.Any(hold => hold.Collection == collection)) return ValueTask.FromResult(false);
            _collections.Remove(collection);
            _items.Remove(collection);
            _tombstones.Remove(collection);
            return ValueTask.FromResult(true);
        }
    }

    private sealed class Hold(MemoryVectorIndex index, string collection) : IAsyncDisposable
    {
        public string Collection => collection;

        public ValueTask DisposeAsync()
        {
            lock (index._lock) index._holds.Remove(this);
            return ValueTask.CompletedTask;
        }
    }

    private static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        float sum = 0;
        for (int n = 0; n < left.Length; n++) sum += left[n] * right[n];
        return sum;
    }
}
