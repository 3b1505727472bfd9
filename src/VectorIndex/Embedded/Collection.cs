using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// One collection: a log on disk and what it adds up to in memory. Writers queue; whoever gets the turn writes what all of them queued and flushes once.
/// Readers share a lock that a writer takes alone only while it applies what is already on disk, so a search never waits for the disk.
/// </summary>
internal sealed class Collection : IDisposable
{
    private const string InfoFile = "collection.json";
    private const string LogFile = "items.log";
    private const int MaxChangesPerFrame = 4096;
    /// <summary>Rewrite when less than half of the log is still of use.</summary>
    private const long MinGarbageBytes = 4 << 20;

    private readonly string folder;
    private readonly Rows rows;
    private readonly ReaderWriterLockSlim access = new();
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly List<(Change[] Changes, TaskCompletionSource Done)> queue = [];
    private FrameLog log;

    private Collection(string folder, CollectionInfo info)
    {
        this.folder = folder;
        Info = info;
        rows = new Rows(info.Dimension);
        log = FrameLog.Open(Path.Combine(folder, LogFile), frame => Change.Decode(frame, info.Dimension).ForEach(change => rows.Apply(change)));
    }

    public CollectionInfo Info { get; }

    public static void Make(string folder, CollectionInfo info)
    {
        Directory.CreateDirectory(folder);
        var json = new JsonObject { ["name"] = info.Name, ["dimension"] = info.Dimension, ["fingerprint"] = info.Fingerprint.Value, ["version"] = info.Version.Value };
        DurableFiles.Write(Path.Combine(folder, InfoFile), System.Text.Encoding.UTF8.GetBytes(json.ToJsonString()));
        DurableFiles.Write(Path.Combine(folder, LogFile), []);
        DurableFiles.FlushFolder(folder);
    }

    public static Collection Open(string folder)
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
        File.Delete(Path.Combine(folder, LogFile + ".tmp"));
        return new Collection(folder, info);
    }

    public T Read<T>(Func<Rows, T> read)
    {
        access.EnterReadLock();
        try
        {
            return read(rows);
        }
        finally
        {
            access.ExitReadLock();
        }
    }

    public async ValueTask WriteAsync(Change[] changes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (changes.Length == 0) return;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (queue) queue.Add((changes, done));
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

    private void WriteQueued()
    {
        (Change[] Changes, TaskCompletionSource Done)[] batch;
        lock (queue)
        {
            batch = [.. queue];
            queue.Clear();
        }
        try
        {
            foreach (var frame in batch.SelectMany(b => b.Changes).Chunk(MaxChangesPerFrame))
            {
                Change[] news = [.. frame.Where(rows.WouldChange)];
                if (news.Length == 0) continue;
                log.Append(Change.Encode(news));
                access.EnterWriteLock();
                try
                {
                    foreach (var change in news) rows.Apply(change);
                }
                finally
                {
                    access.ExitWriteLock();
                }
            }
            if (log.Length - rows.LiveBytes > Math.Max(MinGarbageBytes, rows.LiveBytes)) Compact();
        }
        catch (Exception failure)
        {
            foreach (var (_, done) in batch) done.TrySetException(failure);
            return;
        }
        foreach (var (_, done) in batch) done.TrySetResult();
    }

    /// <summary>Writes what is there to a new log and puts it in the old one's place. Only called with the turn held, so nothing changes meanwhile.</summary>
    private void Compact()
    {
        string path = Path.Combine(folder, LogFile), temporary = path + ".tmp";
        File.Delete(temporary);
        using (var compacted = FrameLog.Open(temporary, _ => { }))
            foreach (var frame in rows.Changes().Chunk(MaxChangesPerFrame)) compacted.Append(Change.Encode(frame));
        log.Dispose();
        DurableFiles.Replace(temporary, path);
        log = FrameLog.Open(path, _ => { });
    }

    public void Dispose()
    {
        turn.Wait();
        log.Dispose();
        turn.Release();
    }
}
