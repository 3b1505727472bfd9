using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// The vector index inside one process: vectors and attributes in mapped files, made durable by a log per collection. Exact search, or from <see cref="EmbeddedIndexOptions.ApproximateFrom"/> items on also approximate search.
/// <c>collections/&lt;name&gt;/{collection.json, segments, NNNNNN.segment, changes.log}</c>, <c>aliases.json</c>. A folder belongs to one open index at a time; one of format 1 is taken over once.
/// </summary>
public sealed partial class EmbeddedVectorIndex : IVectorIndex, IDisposable
{
    private const string FormatFile = "vector-index.format";
    private const string OldFormat = "beeformer vector index, format 1", Format = "beeformer vector index, format 2";
    private readonly StoragePlan plan;
    private readonly string folder;
    private readonly string collectionsFolder;
    private readonly FileStream ownership;
    private readonly ConcurrentDictionary<string, Collection> collections = new(StringComparer.Ordinal);
    private readonly AliasFile aliases;
    private readonly Lock catalogue = new();
    private readonly Dictionary<string, int> holders = []; // under the lock

    /// <exception cref="InvalidDataException">The folder was made by another format version, or a file in it is damaged.</exception>
    /// <exception cref="InvalidOperationException">Another process has the index open.</exception>
    public EmbeddedVectorIndex(string folder, EmbeddedIndexOptions? options = null)
        : this(folder, new StoragePlan((options ?? new()).ApproximateFrom))
    {
    }

    internal EmbeddedVectorIndex(string folder, StoragePlan plan)
    {
        this.plan = plan;
        this.folder = Path.GetFullPath(folder);
        collectionsFolder = Path.Combine(this.folder, "collections");
        DurableFiles.CreateFolder(this.folder);
        ownership = Own(Path.Combine(this.folder, ".lock"));
        try
        {
            string marker = Path.Combine(this.folder, FormatFile);
            if (File.Exists(marker) && File.ReadAllText(marker).Trim() == OldFormat) DurableFiles.Rewrite(marker, Encoding.UTF8.GetBytes(Format + "\n")); // first, so that no older version opens what is being taken over
            StoreFormat.Claim(this.folder, FormatFile, Format, "collections");
            DurableFiles.CreateFolder(collectionsFolder);
            foreach (string leftover in Directory.GetDirectories(collectionsFolder, ".*")) Directory.Delete(leftover, recursive: true);
            aliases = new AliasFile(Path.Combine(this.folder, "aliases.json"));
            foreach (string path in Directory.GetDirectories(collectionsFolder)) collections[Path.GetFileName(path)] = Collection.Open(path, plan);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ValueTask CreateAsync(CollectionInfo collection, CancellationToken cancellationToken)
    {
        if (!CollectionName().IsMatch(collection.Name)) throw new ArgumentException($"\"{collection.Name}\" is not a collection name; expected 1 to 100 letters, digits, dots, dashes or underscores, not starting with a dot.", nameof(collection));
        if (collection.Dimension is < 1 or > 65536) throw new ArgumentException($"Dimension {collection.Dimension} is not in 1 to 65536.", nameof(collection));
        lock (catalogue)
        {
            if (collections.TryGetValue(collection.Name, out var existing))
                return existing.Info == collection ? ValueTask.CompletedTask
                    : throw new InvalidOperationException($"Collection {collection.Name} exists with other properties: {existing.Info}.");
            string temporary = Path.Combine(collectionsFolder, $".new-{Guid.NewGuid():N}"), final = Path.Combine(collectionsFolder, collection.Name);
            Collection.Make(temporary, collection);
            Directory.Move(temporary, final);
            DurableFiles.FlushFolder(collectionsFolder);
            collections[collection.Name] = Collection.Open(final, plan);
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask<CollectionInfo?> FindAsync(string collection, CancellationToken cancellationToken) =>
        new(collections.TryGetValue(collection, out var found) ? found.Info : null);

    public ValueTask<IReadOnlyList<CollectionInfo>> ListAsync(CancellationToken cancellationToken) =>
        new([.. collections.Values.Select(c => c.Info).OrderBy(info => info.Name, StringComparer.Ordinal)]);

    public ValueTask UpsertAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken cancellationToken) => WriteAsync(collection, items, durable: true, cancellationToken);

    public ValueTask LoadAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken cancellationToken) => WriteAsync(collection, items, durable: false, cancellationToken);

    public ValueTask SettleAsync(string collection, CancellationToken cancellationToken) => Get(collection).SettleAsync(cancellationToken);

    public ValueTask DeleteAsync(string collection, IReadOnlyList<(ItemId Id, long Revision)> items, CancellationToken cancellationToken) =>
        Get(collection).WriteAsync([.. items.Select(item => Change.Delete(item.Id, item.Revision))], durable: true, cancellationToken);

    public ValueTask<long> CountAsync(string collection, ItemFilter filter, CancellationToken cancellationToken) => new(Get(collection).Read(snapshot => snapshot.Count(filter)));

    public ValueTask<IReadOnlyList<IReadOnlyList<ScoredItem>>> SearchAsync(string collection, IReadOnlyList<SearchQuery> queries, CancellationToken cancellationToken) =>
        SearchMetrics.TimedAsync("embedded", queries.Count, () => FindNearestAsync(collection, queries));

    private async ValueTask<IReadOnlyList<IReadOnlyList<ScoredItem>>> FindNearestAsync(string collection, IReadOnlyList<SearchQuery> queries)
    {
        var target = Get(collection);
        var prepared = new PreparedQuery[queries.Count];
        for (int n = 0; n < queries.Count; n++)
        {
            var query = queries[n];
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(query.K, nameof(queries));
            if (query.Vector.Fingerprint != target.Info.Fingerprint) throw new FingerprintMismatchException(query.Vector.Fingerprint, target.Info.Fingerprint);
            prepared[n] = new(UnitVector.Of("The query vector", query.Vector.Values.Span, target.Info.Dimension), query.K, query.Filter, query.Exact);
        }
        return await target.SearchAsync(prepared).ConfigureAwait(false);
    }

    public ValueTask<IReadOnlyList<IndexedItem>> FetchAsync(string collection, IReadOnlyList<ItemId> ids, CancellationToken cancellationToken) =>
        new(Get(collection).Read(snapshot => snapshot.Fetch(ids)));

    public ValueTask<IReadOnlyList<IndexedItem>> ScrollAsync(string collection, ItemFilter filter, ItemId? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return new(Get(collection).Read(snapshot => snapshot.Scroll(filter, after, limit)));
    }

    public ValueTask<IReadOnlyList<(ItemId Id, long Revision)>> RevisionsAsync(string collection, ItemId? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return new(Get(collection).Read(snapshot => snapshot.Revisions(after, limit)));
    }

    public ValueTask<long> PointAliasAsync(string alias, string collection, CancellationToken cancellationToken)
    {
        lock (catalogue)
        {
            Get(collection);
            return new(aliases.Point(alias, collection));
        }
    }

    public ValueTask<AliasTarget?> ResolveAliasAsync(string alias, CancellationToken cancellationToken) => new(aliases.Resolve(alias));

    public ValueTask<IReadOnlyList<string>> AliasesAsync(CancellationToken cancellationToken) => new(aliases.Names);

    public ValueTask RemoveAliasAsync(string alias, CancellationToken cancellationToken)
    {
        lock (catalogue) aliases.Remove(alias);
        return ValueTask.CompletedTask;
    }

    public ValueTask<IAsyncDisposable> HoldAsync(string collection, CancellationToken cancellationToken)
    {
        lock (catalogue)
        {
            Get(collection);
            holders[collection] = holders.GetValueOrDefault(collection) + 1;
            return new(new Hold(this, collection));
        }
    }

    public ValueTask<bool> DropAsync(string collection, CancellationToken cancellationToken)
    {
        lock (catalogue)
        {
            if (aliases.PointingTo(collection) is not null || holders.ContainsKey(collection)) return new(false);
            if (!collections.TryRemove(collection, out var dropped)) return new(true);
            dropped.Dispose();
            string doomed = Path.Combine(collectionsFolder, $".dropped-{Guid.NewGuid():N}");
            Directory.Move(Path.Combine(collectionsFolder, collection), doomed);
            DurableFiles.FlushFolder(collectionsFolder);
            Directory.Delete(doomed, recursive: true);
        }
        return new(true);
    }

    public void Dispose()
    {
        foreach (var collection in collections.Values) collection.Dispose();
        ownership.Dispose();
    }

    private ValueTask WriteAsync(string collection, IReadOnlyList<IndexedItem> items, bool durable, CancellationToken cancellationToken)
    {
        var target = Get(collection);
        return target.WriteAsync(Change.Upserts(items, target.Info.Dimension), durable, cancellationToken);
    }

    internal Collection Get(string name) => collections.TryGetValue(name, out var collection) ? collection
        : throw new KeyNotFoundException($"There is no collection {name} in {folder}.");

    /// <summary>One reader of a collection.</summary>
    private sealed class Hold(EmbeddedVectorIndex index, string collection) : IAsyncDisposable
    {
        private bool left;

        public ValueTask DisposeAsync()
        {
            lock (index.catalogue)
            {
                if (!left && --index.holders[collection] == 0) index.holders.Remove(collection);
                left = true;
            }
            return ValueTask.CompletedTask;
        }
    }

    private static FileStream Own(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
        }
        catch (IOException taken)
        {
            throw new InvalidOperationException($"{Path.GetDirectoryName(file)} cannot be opened; another process has this vector index open, or its lock file is out of reach: {taken.Message}", taken);
        }
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\z")]
    private static partial Regex CollectionName();
}
