using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// One collection: <c>collection.json</c>, segments with the manifest that names them, and a log of what is not in a segment yet. Writers queue; whoever gets the turn writes what all of them queued and flushes once.
/// What a write makes of the collection is a new <see cref="Snapshot"/>; readers take the newest and never wait.
/// </summary>
internal sealed partial class Collection : IDisposable
{
    private const string InfoFile = "collection.json";
    private const string LogFile = "changes.log";
    private const string SegmentEnding = ".segment";
    private const int MaxChangesPerFrame = 4096;
    /// <summary>The log is emptied early when it has so many bytes of no use, and more than of use.</summary>
    private const long MinGarbageBytes = 4 << 20;

    private readonly string folder;
    private readonly StoragePlan plan;
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly List<(Change[] Changes, bool Durable, TaskCompletionSource Done)> queue = [];
    private readonly Lock gate = new();
    private readonly ChangeLog log;
    private Snapshot? newest; // under the gate; null once disposed
    private RecentRows recent;
    private int lastSegment;
    private byte[] frameBytes = []; // with the turn held

    private Collection(string folder, CollectionInfo info, StoragePlan plan)
    {
        (this.folder, Info, this.plan) = (folder, info, plan);
        var segments = SegmentManifest.Open(folder, info.Dimension);
        DeleteLeftovers(segments);
        recent = new RecentRows(info.Dimension, plan.RecentRows);
        Publish([.. segments, View(recent)]);
        try
        {
            log = ChangeLog.Open(Path.Combine(folder, LogFile), frame =>
            {
                foreach (var changes in Change.Decode(frame, info.Dimension).Chunk(recent.Capacity))
                {
                    if (recent.Count + changes.Length > recent.Capacity) Publish([.. newest!.Parts, View(recent = new RecentRows(info.Dimension, plan.RecentRows))]);
                    var draft = new SnapshotDraft(newest!);
                    foreach (var change in changes) draft.Apply(change);
                    recent.MakeColumns();
                    Publish(draft.Parts);
                }
            });
            if (newest!.Parts.Length > segments.Length + 1) Seal(); // a log of more than the recent rows hold
        }
        catch
        {
            log?.Dispose();
            Leave(newest!);
            throw;
        }
        verifying = segments.Length > 0;
        StartTidying();
    }

    public CollectionInfo Info { get; }

    public static void Make(string folder, CollectionInfo info)
    {
        Directory.CreateDirectory(folder);
        var json = new JsonObject { ["name"] = info.Name, ["dimension"] = info.Dimension, ["fingerprint"] = info.Fingerprint.Value, ["version"] = info.Version.Value };
        DurableFiles.Write(Path.Combine(folder, InfoFile), System.Text.Encoding.UTF8.GetBytes(json.ToJsonString()));
        DurableFiles.Write(Path.Combine(folder, SegmentManifest.FileName), SegmentManifest.Bytes([]));
        DurableFiles.FlushFolder(folder);
    }

    public static Collection Open(string folder, StoragePlan plan)
    {
        string file = Path.Combine(folder, InfoFile);
        CollectionInfo info;
        try
        {
            var json = JsonNode.Parse(File.ReadAllBytes(file))!.AsObject();
            info = new(json["name"]!.GetValue<string>(), json["dimension"]!.GetValue<int>(), new Fingerprint(json["fingerprint"]!.GetValue<string>()), new ModelVersion(json["version"]!.GetValue<string>()));
        }
        catch (Exception damage) when (damage is System.Text.Json.JsonException or InvalidOperationException or NullReferenceException or FormatException or FileNotFoundException)
        {
            throw new InvalidDataException($"{file} is damaged: {damage.Message} Expected name, dimension, fingerprint and version.", damage);
        }
        if (!File.Exists(Path.Combine(folder, SegmentManifest.FileName))) FormatOne.Migrate(folder, info, plan);
        return new Collection(folder, info, plan);
    }

    /// <exception cref="KeyNotFoundException">The collection was dropped meanwhile.</exception>
    /// <exception cref="InvalidDataException">Its files were found damaged.</exception>
    public T Read<T>(Func<Snapshot, T> read)
    {
        if (damage is { } found) throw new InvalidDataException(found.Message, found);
        Snapshot snapshot;
        lock (gate)
        {
            snapshot = newest ?? throw new KeyNotFoundException($"There is no collection {Info.Name} any more.");
            snapshot.Uses++;
        }
        try
        {
            return read(snapshot);
        }
        finally
        {
            Leave(snapshot);
        }
    }

    /// <param name="durable">On return; else with the next write that is, or with <see cref="SettleAsync"/>.</param>
    public async ValueTask WriteAsync(Change[] changes, bool durable, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (changes.Length == 0) return;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (queue) queue.Add((changes, durable, done));
        // From here on the changes will be written, by this call or by another one that has the turn.
        await turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (!done.Task.IsCompleted) WriteQueued();
        }
        finally
        {
            turn.Release();
        }
        await done.Task.ConfigureAwait(false);
    }

    public async ValueTask SettleAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            loading = false;
            if (recent.Count >= plan.RecentRows / 8) Seal();
            else log.Flush();
            StartTidying();
        }
        finally
        {
            turn.Release();
        }
        await tidying.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Leaves nothing in the log.</summary>
    internal void SealAll()
    {
        turn.Wait();
        try
        {
            Seal();
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose()
    {
        stopping.Cancel();
        turn.Wait();
        tidying.ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        log.Dispose();
        Snapshot? last;
        lock (gate) (last, newest) = (newest, null);
        if (last is not null) Leave(last);
        turn.Release();
    }

    private void WriteQueued()
    {
        (Change[] Changes, bool Durable, TaskCompletionSource Done)[] batch;
        lock (queue)
        {
            batch = [.. queue];
            queue.Clear();
        }
        bool durable = batch.Any(write => write.Durable);
        loading = !durable;
        var draft = new SnapshotDraft(newest!);
        (long logLength, int rows) = (log.Length, recent.Count);
        try
        {
            foreach (var frame in batch.SelectMany(write => write.Changes).Chunk(Math.Min(MaxChangesPerFrame, recent.Capacity)))
            {
                if (recent.Count + frame.Length > recent.Capacity)
                {
                    Finish();
                    Seal();
                    draft = new SnapshotDraft(newest!);
                    (logLength, rows) = (log.Length, recent.Count);
                }
                var news = frame.Where(draft.Apply).ToList();
                if (news.Count > 0) log.Append(Change.Encode(news, ref frameBytes));
            }
            Finish();
        }
        catch (Exception failure)
        {
            recent.CutTo(rows);
            try
            {
                log.CutTo(logLength);
            }
            catch (IOException)
            {
                // The log refuses to go on, and opening reads what it holds.
            }
            foreach (var (_, _, done) in batch) done.TrySetException(failure);
            return;
        }
        foreach (var (_, _, done) in batch) done.TrySetResult();
        SealGarbage();

        void Finish()
        {
            if (durable) log.Flush();
            recent.MakeColumns();
            Publish(draft.Parts);
            (logLength, rows) = (log.Length, recent.Count);
        }
    }

    /// <summary>Makes a segment of the recent rows and empties the log. Only with the turn held.</summary>
    private void Seal()
    {
        var (items, deletions) = Rows(newest!.Parts.Where(part => part.Part is RecentRows));
        PartView[] segments = [.. newest.Parts.Where(part => part.Part is Segment)];
        if (items.Count + deletions.Count > 0) segments = [.. segments, WriteSegment(items, deletions, null, CancellationToken.None)];
        SegmentManifest.Write(folder, segments);
        recent = new RecentRows(Info.Dimension, plan.RecentRows);
        Publish([.. segments, View(recent)]);
        log.CutTo(0);
        StartTidying();
    }

    /// <summary>Many changes of few items: most of the log is of no use.</summary>
    private void SealGarbage()
    {
        if (log.Length < MinGarbageBytes) return;
        var view = newest!.Parts[^1];
        long useful = 0;
        for (int row = 0; row < view.Rows; row++)
            if (view.Has(row)) useful += recent.Bytes(row);
        if (log.Length - useful < Math.Max(MinGarbageBytes, useful)) return;
        try
        {
            Seal();
        }
        catch (IOException)
        {
            // What was written stays in the log; the next write tries again.
        }
    }

    private PartView WriteSegment(IReadOnlyList<RowPlace> items, IReadOnlyList<RowPlace> deletions, BuiltLists? lists, CancellationToken cancellationToken)
    {
        string path = Path.Combine(folder, $"{Interlocked.Increment(ref lastSegment):D6}{SegmentEnding}");
        try
        {
            SegmentWriter.Write(path, Info.Dimension, items, deletions, lists, cancellationToken);
        }
        catch
        {
            DurableFiles.DeleteFile(path);
            throw;
        }
        DurableFiles.FlushFolder(folder);
        var segment = new Segment(path, Info.Dimension);
        var all = new ulong[(segment.Rows + 63) / 64];
        for (int row = 0; row < segment.Rows; row++) all[row >> 6] |= 1UL << (row & 63);
        return new PartView(segment, segment.Rows, all);
    }

    /// <summary>The newest rows of these parts.</summary>
    private static unsafe (List<RowPlace> Items, List<RowPlace> Deletions) Rows(IEnumerable<PartView> parts)
    {
        var (items, deletions) = (new List<RowPlace>(), new List<RowPlace>());
        foreach (var part in parts)
            for (int row = 0; row < part.Rows; row++)
                if (part.Has(row)) ((part.Part.Items[row >> 6] >> (row & 63) & 1) != 0 ? items : deletions).Add(new(part.Part, row));
        return (items, deletions);
    }

    private static PartView View(RecentRows rows) => new(rows, rows.Count, new ulong[rows.Capacity / 64]);

    /// <summary>Only with the turn held, or before anybody else knows the collection.</summary>
    private void Publish(PartView[] parts)
    {
        Snapshot? last;
        lock (gate)
        {
            foreach (var part in parts) part.Part.Uses++;
            (last, newest) = (newest, new Snapshot(parts));
        }
        if (last is not null) Leave(last);
    }

    private void Leave(Snapshot snapshot)
    {
        List<Part> unused = [];
        lock (gate)
        {
            if (--snapshot.Uses > 0) return;
            foreach (var part in snapshot.Parts)
                if (--part.Part.Uses == 0) unused.Add(part.Part);
        }
        foreach (var part in unused) part.Dispose();
    }

    private void DeleteLeftovers(PartView[] segments)
    {
        var named = segments.Select(part => ((Segment)part.Part).Path).ToHashSet();
        foreach (string file in Directory.GetFiles(folder))
        {
            string name = Path.GetFileName(file);
            if (name is InfoFile or LogFile or SegmentManifest.FileName || named.Contains(file)) continue;
            DurableFiles.DeleteFile(file);
        }
        foreach (string leftover in Directory.GetDirectories(folder)) DurableFiles.DeleteFolder(leftover);
        lastSegment = named.Count == 0 ? 0 : named.Max(path => int.Parse(Path.GetFileNameWithoutExtension(path), System.Globalization.CultureInfo.InvariantCulture));
    }
}

/// <summary>How a collection is laid out.</summary>
/// <param name="ApproximateFrom">Items from which on rows are divided into lists; 0: never.</param>
/// <param name="RecentRows">Rows in memory at most, a multiple of 64; fewer where vectors are long.</param>
/// <param name="MaxSegments">Segments from which on some are merged.</param>
/// <param name="MinListedRows">A segment of fewer items is not divided.</param>
/// <param name="Background">False: only <see cref="Collection.Tidy"/> merges.</param>
internal sealed record StoragePlan(int ApproximateFrom, int RecentRows = 32768, int MaxSegments = 8, int MinListedRows = 65536, bool Background = true);
