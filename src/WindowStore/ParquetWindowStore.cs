using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>
/// The window store on a folder. Locks, held between threads and processes alike: a writer holds its partition's; readers and writers share <c>.segments.lock</c>, which a rewrite
/// takes alone for the moment in which it exchanges files; rewrites hold <c>.maintenance.lock</c> from start to end.
/// </summary>
public sealed class ParquetWindowStore : IWindowStore
{
    private const string FormatFile = "window-store.format";
    private const string Format = "beeformer window store, format 1";
    private readonly string folder;
    private readonly string spillFolder;
    private readonly SegmentFolder interactions;
    private readonly SegmentFolder items;

    /// <exception cref="InvalidDataException">The folder was made by another format version.</exception>
    public ParquetWindowStore(string folder)
    {
        this.folder = Path.GetFullPath(folder);
        StoreFormat.Claim(this.folder, FormatFile, Format, Topics.Interactions, Topics.Items);
        spillFolder = Path.Combine(this.folder, ".spill");
        interactions = new SegmentFolder(Path.Combine(this.folder, Topics.Interactions));
        items = new SegmentFolder(Path.Combine(this.folder, Topics.Items));
        RemoveLeftovers();
    }

    public long NextOffset(string topic, int partition)
    {
        using var reading = ShareSegments();
        return Of(topic).NextOffset(partition);
    }

    public bool TryWriteInteractions(int partition, long first, long last, IReadOnlyList<StoredInteraction> rows) =>
        TryWrite(interactions, partition, first, last, rows, row => row.Offset, SegmentFile.WriteInteractions);

    public bool TryWriteItems(int partition, long first, long last, IReadOnlyList<StoredItem> rows) =>
        TryWrite(items, partition, first, last, rows, row => row.Offset, SegmentFile.WriteItems);

    public InteractionWindow Read(WindowQuery query)
    {
        using var reading = ShareSegments();
        return WindowReader.Read(query, interactions.Visible(), spillFolder);
    }

    public IReadOnlyDictionary<int, long> NextOffsets(string topic)
    {
        using var reading = ShareSegments();
        return Of(topic).Visible().GroupBy(segment => segment.Partition).ToDictionary(partition => partition.Key, partition => SegmentFolder.NextOffset([.. partition]));
    }

    public IReadOnlyList<StoredItem> ReadCatalogue() => Catalogue(asOf: null);

    public IReadOnlyList<StoredItem> ReadCatalogue(IReadOnlyDictionary<int, long> asOf) => Catalogue(asOf);

    private List<StoredItem> Catalogue(IReadOnlyDictionary<int, long>? asOf)
    {
        using var reading = ShareSegments();
        var segments = items.Visible();
        return segments.Count == 0 ? [] : SegmentRows.Catalogue(segments, spillFolder, asOf);
    }

    public WindowSummary Describe()
    {
        using var reading = ShareSegments();
        var segments = interactions.Visible();
        var itemSegments = items.Visible();
        long catalogue = 0;
        if (itemSegments.Count > 0)
        {
            using var duck = new SegmentQuery(itemSegments, spillFolder);
            catalogue = duck.Rows($"""
                SELECT count(*) FROM (SELECT event FROM {duck.Table} QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY p DESC, "offset" DESC) = 1) WHERE event IS NOT NULL
                """, r => r.GetInt64(0))[0];
        }
        long bytes = segments.Concat(itemSegments).Sum(segment => new FileInfo(segment.File).Length);
        var empty = new WindowSummary(0, 0, 0, catalogue, null, null, segments.Count, itemSegments.Count, bytes);
        if (segments.Count == 0) return empty;
        using var all = new SegmentQuery(segments, spillFolder);
        return all.Rows($"SELECT count(DISTINCT event_id), count(DISTINCT user_id), count(DISTINCT item_id), epoch_ms(min(timestamp)), epoch_ms(max(timestamp)) FROM {all.Table}", r =>
            empty with
            {
                Interactions = r.GetInt64(0), Users = r.GetInt64(1), Items = r.GetInt64(2),
                FromMs = r.IsDBNull(3) ? null : r.GetInt64(3), ToMs = r.IsDBNull(4) ? null : r.GetInt64(4),
            })[0];
    }

    public IReadOnlySet<string> EventIds(string prefix)
    {
        using var reading = ShareSegments();
        var segments = interactions.Visible();
        if (segments.Count == 0) return new HashSet<string>();
        using var duck = new SegmentQuery(segments, spillFolder);
        return duck.Rows($"SELECT DISTINCT event_id FROM {duck.Table} WHERE starts_with(event_id, {SegmentQuery.Text(prefix)})", r => r.GetString(0)).ToHashSet(StringComparer.Ordinal);
    }

    public void Forget(UserId user)
    {
        using var maintenance = FileLock.Exclusive(MaintenanceLock);
        DeleteCovered(interactions); // such a file could still hold the user
        List<string> files;
        var segments = interactions.Visible();
        if (segments.Count == 0) return;
        using (ShareSegments())
        using (var duck = new SegmentQuery(segments, spillFolder))
            files = duck.Rows($"SELECT DISTINCT filename FROM {duck.Table} WHERE user_id = {SegmentQuery.Text(user.Value)}", r => r.GetString(0));
        foreach (var segment in segments.Where(segment => files.Contains(segment.File)))
        {
            string temporary = Temporary(segment, "rewrite");
            SegmentFile.WriteInteractions(temporary, [.. SegmentRows.Interactions([segment], spillFolder).Where(row => row.User != user)]);
            using var alone = FileLock.Exclusive(SegmentsLock);
            DurableFiles.Replace(temporary, segment.File);
        }
    }

    /// <summary>Merges small neighbouring segments; what readers see does not change. Returns the number of files that went away.</summary>
    public int Compact()
    {
        using var maintenance = FileLock.Exclusive(MaintenanceLock);
        DeleteCovered(interactions);
        DeleteCovered(items);
        return Compact(interactions, merge => temporary => SegmentFile.WriteInteractions(temporary, SegmentRows.Interactions(merge, spillFolder)))
            + Compact(items, merge => temporary => SegmentFile.WriteItems(temporary, SegmentRows.Items(merge, spillFolder)));
    }

    private int Compact(SegmentFolder topic, Func<List<Segment>, Action<string>> writer)
    {
        int gone = 0;
        foreach (var merge in topic.Partitions().SelectMany(partition => CompactionPlan.Of(topic.Visible(partition))))
        {
            string temporary = Temporary(merge[0], "rewrite");
            writer(merge)(temporary);
            using var alone = FileLock.Exclusive(SegmentsLock);
            DurableFiles.TryPublish(temporary, topic.File(merge[0].Partition, merge[0].First, merge[^1].Last));
            foreach (var segment in merge) File.Delete(segment.File);
            gone += merge.Count - 1;
        }
        return gone;
    }

    private bool TryWrite<T>(SegmentFolder topic, int partition, long first, long last, IReadOnlyList<T> rows, Func<T, long> offset, Action<string, IReadOnlyList<T>> write)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        if (first < 0 || last < first) throw new ArgumentException($"A segment of partition {partition} cannot cover offsets {first} to {last}; expected 0 <= first <= last.");
        foreach (var row in rows)
            if (offset(row) < first || offset(row) > last) throw new ArgumentException($"A row has offset {offset(row)}, outside its segment's {first} to {last}.");
        DurableFiles.CreateFolder(topic.Path(partition));
        using var writing = FileLock.Exclusive(WriterLock(topic, partition));
        using var reading = ShareSegments();
        if (topic.Visible(partition).Any(segment => segment.Meets(first, last))) return false;
        string final = topic.File(partition, first, last);
        string temporary = Path.Combine(topic.Path(partition), $".write-{Guid.NewGuid():N}.tmp");
        write(temporary, rows);
        return DurableFiles.TryPublish(temporary, final);
    }

    private void DeleteCovered(SegmentFolder topic)
    {
        var covered = topic.Covered();
        if (covered.Count == 0) return;
        using var alone = FileLock.Exclusive(SegmentsLock);
        foreach (var segment in covered) File.Delete(segment.File);
    }

    /// <summary>Temporary files of a process that died; the locks tell them from those of one at work.</summary>
    private void RemoveLeftovers()
    {
        using var maintenance = FileLock.Exclusive(MaintenanceLock);
        foreach (var topic in new[] { interactions, items })
            foreach (int partition in topic.Partitions())
            {
                using var writing = FileLock.Exclusive(WriterLock(topic, partition));
                foreach (string file in Directory.GetFiles(topic.Path(partition), ".*.tmp")) File.Delete(file);
            }
    }

    private string SegmentsLock => Path.Combine(folder, ".segments.lock");
    private string MaintenanceLock => Path.Combine(folder, ".maintenance.lock");
    private static string WriterLock(SegmentFolder topic, int partition) => Path.Combine(topic.Path(partition), ".writer.lock");
    private IDisposable ShareSegments() => FileLock.Shared(SegmentsLock);
    private static string Temporary(Segment beside, string what) => Path.Combine(Path.GetDirectoryName(beside.File)!, $".{what}-{Guid.NewGuid():N}.tmp");

    private SegmentFolder Of(string topic) => topic switch
    {
        Topics.Interactions => interactions,
        Topics.Items => items,
        _ => throw new ArgumentException($"Topic {topic} has no segments; expected {Topics.Interactions} or {Topics.Items}."),
    };
}
