using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore.Erasing;
using BeeFormer.Streaming.WindowStore.Folder;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>The window store on a folder or on S3: Parquet segments, read by DuckDB.</summary>
public sealed class ParquetWindowStore : IWindowStore
{
    private readonly ISegmentStorage storage;
    private readonly Erasures erasures;
    private readonly UserErasure erasure;
    private readonly Retention retention;

    /// <exception cref="InvalidDataException">The folder was made by another format version.</exception>
    public ParquetWindowStore(string folder) : this(new FolderStorage(folder)) { }

    internal ParquetWindowStore(ISegmentStorage storage)
    {
        this.storage = storage;
        erasures = new Erasures(storage);
        erasure = new UserErasure(storage, erasures);
        retention = new Retention(storage);
    }

    public long NextOffset(string topic, int partition) => SegmentFolder.NextOffset(storage.Visible(Known(topic), partition));

    public IReadOnlyDictionary<int, long> NextOffsets(string topic) =>
        storage.Visible(Known(topic)).GroupBy(segment => segment.Partition).ToDictionary(partition => partition.Key, partition => SegmentFolder.NextOffset([.. partition]));

    public long? FirstCovered(string topic, int partition, long from)
    {
        foreach (var segment in storage.Visible(Known(topic), partition))
            if (segment.Last >= from) return Math.Max(segment.First, from);
        return null;
    }

    public bool TryWriteInteractions(int partition, long first, long last, IReadOnlyList<StoredInteraction> rows) =>
        TryWrite(Topics.Interactions, partition, first, last, rows is InteractionColumns columns ? columns.Offsets : rows.Select(row => row.Offset), temporary => SegmentFile.WriteInteractions(temporary, rows));

    public bool TryWriteItems(int partition, long first, long last, IReadOnlyList<StoredItem> rows) =>
        TryWrite(Topics.Items, partition, first, last, rows.Select(row => row.Offset), temporary => SegmentFile.WriteItems(temporary, rows));

    public InteractionWindow Read(WindowQuery query)
    {
        using var open = storage.Open(Topics.Interactions, segment => WindowReader.Needs(query, segment));
        return WindowReader.Read(query, open.Segments, storage.SpillFolder);
    }

    public IReadOnlyList<StoredItem> ReadCatalogue() => Catalogue(asOf: null);

    public IReadOnlyList<StoredItem> ReadCatalogue(IReadOnlyDictionary<int, long> asOf) => Catalogue(asOf);

    public void ScanCatalogue(IReadOnlyDictionary<int, long> asOf, bool descriptions, Action<CatalogueRow> take)
    {
        using var open = storage.Open(Topics.Items);
        if (open.Segments.Count > 0) SegmentRows.Scan(open.Segments, storage.SpillFolder, asOf, descriptions, take);
    }

    private List<StoredItem> Catalogue(IReadOnlyDictionary<int, long>? asOf)
    {
        using var open = storage.Open(Topics.Items);
        return open.Segments.Count == 0 ? [] : SegmentRows.Catalogue(open.Segments, storage.SpillFolder, asOf);
    }

    public WindowSummary Describe()
    {
        using var interactions = storage.Open(Topics.Interactions);
        using var items = storage.Open(Topics.Items);
        long catalogue = 0;
        if (items.Segments.Count > 0)
        {
            using var duck = new SegmentQuery(items.Segments, storage.SpillFolder);
            catalogue = duck.Rows($"""
                SELECT count(*) FROM (SELECT event FROM {duck.Table} QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY p DESC, "offset" DESC) = 1) WHERE event IS NOT NULL
                """, r => r.GetInt64(0))[0];
        }
        long bytes = interactions.Segments.Concat(items.Segments).Sum(segment => new FileInfo(segment.File).Length);
        var empty = new WindowSummary(0, 0, 0, catalogue, null, null, interactions.Segments.Count, items.Segments.Count, bytes);
        if (interactions.Segments.Count == 0) return empty;
        using var all = new SegmentQuery(interactions.Segments, storage.SpillFolder);
        return all.Rows($"SELECT count(DISTINCT event_id), count(DISTINCT user_id), count(DISTINCT item_id), epoch_ms(min(timestamp)), epoch_ms(max(timestamp)) FROM {all.Table}", r =>
            empty with
            {
                Interactions = r.GetInt64(0), Users = r.GetInt64(1), Items = r.GetInt64(2),
                FromMs = r.IsDBNull(3) ? null : r.GetInt64(3), ToMs = r.IsDBNull(4) ? null : r.GetInt64(4),
            })[0];
    }

    public IReadOnlySet<string> EventIds(string prefix)
    {
        using var open = storage.Open(Topics.Interactions);
        if (open.Segments.Count == 0) return new HashSet<string>();
        using var duck = new SegmentQuery(open.Segments, storage.SpillFolder);
        return duck.Rows($"SELECT DISTINCT event_id FROM {duck.Table} WHERE starts_with(event_id, {SegmentQuery.Text(prefix)})", r => r.GetString(0)).ToHashSet(StringComparer.Ordinal);
    }

    public void Erase(UserId user, long atMs) => erasure.Erase(user, atMs);

    public bool IsErased(UserId user, long timestampMs) => erasures.IsErased(user, timestampMs);

    public IReadOnlyList<Erasure> Erasures() => erasures.All();

    public IReadOnlyList<string> FindUser(UserId user) => UserSearch.Find(storage, user);

    /// <summary>Merges small neighbouring segments; what readers see does not change. Returns the number of segments that went away.</summary>
    public int Compact()
    {
        using var maintenance = storage.Maintain();
        storage.RemoveLeftovers();
        return Compact(Topics.Interactions, (merge, temporary) => SegmentFile.WriteInteractions(temporary, SegmentRows.Interactions(merge, storage.SpillFolder)))
            + Compact(Topics.Items, (merge, temporary) => SegmentFile.WriteItems(temporary, SegmentRows.Items(merge, storage.SpillFolder)));
    }

    /// <summary>Removes the rows of interactions segments that have nothing after <paramref name="before"/>; their offsets stay covered. Returns the number of segments.</summary>
    /// <param name="before">Compared with the newest event of a segment and with the time it was written.</param>
    public int DropBefore(DateTimeOffset before) => retention.Drop(before.ToUnixTimeMilliseconds());

    /// <summary>Looks for rows of erased users in segments that came since the last look, and removes them. Returns the number of rows.</summary>
    public int FinishErasures() => erasure.Finish();

    private int Compact(string topic, Action<IReadOnlyList<Segment>, string> write)
    {
        int gone = 0;
        foreach (var partition in storage.Visible(topic).GroupBy(segment => segment.Partition))
            foreach (var merge in CompactionPlan.Of([.. partition]))
                if (storage.TryReplace(topic, merge, write)) gone += merge.Count - 1;
        return gone;
    }

    private bool TryWrite(string topic, int partition, long first, long last, IEnumerable<long> offsets, Action<string> write)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        if (first < 0 || last < first) throw new ArgumentException($"A segment of partition {partition} cannot cover offsets {first} to {last}; expected 0 <= first <= last.");
        foreach (long offset in offsets)
            if (offset < first || offset > last) throw new ArgumentException($"A row has offset {offset}, outside its segment's {first} to {last}.");
        return storage.TryCreate(topic, partition, first, last, write);
    }

    private static string Known(string topic) => topic is Topics.Interactions or Topics.Items
        ? topic : throw new ArgumentException($"Topic {topic} has no segments; expected {Topics.Interactions} or {Topics.Items}.");
}
