using System.Globalization;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Folder;

/// <summary>
/// Segments in a folder. Locks, held between threads and processes alike: a writer holds its partition's; readers and writers share <c>.segments.lock</c>, which a rewrite
/// takes alone for the moment in which it exchanges files; rewrites hold <c>.maintenance.lock</c> from start to end.
/// </summary>
internal sealed class FolderStorage : ISegmentStorage
{
    private const string FormatFile = "window-store.format";
    private const string Format = "beeformer window store, format 1";
    private static readonly string[] BothTopics = [Topics.Interactions, Topics.Items];
    private readonly string folder;

    /// <exception cref="InvalidDataException">The folder was made by another format version.</exception>
    public FolderStorage(string folder)
    {
        this.folder = Path.GetFullPath(folder);
        StoreFormat.Claim(this.folder, FormatFile, Format, BothTopics);
        using (Maintain()) RemoveTemporaryFiles();
    }

    public string SpillFolder => Path.Combine(folder, ".spill");

    public IReadOnlyList<Segment> Visible(string topic)
    {
        using var reading = FileLock.Shared(SegmentsLock);
        return Of(topic).Visible();
    }

    public IReadOnlyList<Segment> Visible(string topic, int partition)
    {
        using var reading = FileLock.Shared(SegmentsLock);
        return Of(topic).Visible(partition);
    }

    public OpenSegments Open(string topic, Func<Segment, bool>? needed = null)
    {
        var reading = FileLock.Shared(SegmentsLock);
        return new OpenSegments(Of(topic).Visible(), reading.Dispose);
    }

    public bool TryCreate(string topic, int partition, long first, long last, Action<string> write)
    {
        var segments = Of(topic);
        DurableFiles.CreateFolder(segments.Path(partition));
        using var writing = FileLock.Exclusive(WriterLock(segments, partition));
        using var reading = FileLock.Shared(SegmentsLock);
        if (SegmentFolder.IsTaken(segments.Visible(partition), first, last)) return false;
        string temporary = Path.Combine(segments.Path(partition), $".write-{Guid.NewGuid():N}.tmp");
        write(temporary);
        return DurableFiles.TryPublish(temporary, segments.File(partition, first, last));
    }

    public bool TryReplace(string topic, IReadOnlyList<Segment> parts, Action<IReadOnlyList<Segment>, string> write)
    {
        var segments = Of(topic);
        string temporary = Path.Combine(segments.Path(parts[0].Partition), $".rewrite-{Guid.NewGuid():N}.tmp");
        string final = segments.File(parts[0].Partition, parts[0].First, parts[^1].Last);
        write(parts, temporary);
        File.SetLastWriteTimeUtc(temporary, parts.Max(part => File.GetLastWriteTimeUtc(part.File)));
        using var alone = FileLock.Exclusive(SegmentsLock);
        if (parts.Count == 1) DurableFiles.Replace(temporary, final);
        else
        {
            DurableFiles.TryPublish(temporary, final);
            foreach (var part in parts) DurableFiles.DeleteFile(part.File);
        }
        RemoveSpill();
        return true;
    }

    public void RemoveLeftovers()
    {
        RemoveTemporaryFiles();
        var covered = BothTopics.SelectMany(topic => Of(topic).Covered()).ToList();
        if (covered.Count == 0) return;
        using var alone = FileLock.Exclusive(SegmentsLock);
        foreach (var segment in covered) DurableFiles.DeleteFile(segment.File);
        RemoveSpill();
    }

    public long LandedMs(string topic, Segment segment) => new DateTimeOffset(File.GetLastWriteTimeUtc(segment.File)).ToUnixTimeMilliseconds();

    public IDisposable Maintain() => FileLock.Exclusive(Path.Combine(folder, ".maintenance.lock"));

    public IReadOnlyList<(string Name, string Version)> Records(string records)
    {
        string path = Path.Combine(folder, records);
        return Directory.Exists(path) ? [.. Directory.EnumerateFiles(path).Where(file => !file.EndsWith(".tmp", StringComparison.Ordinal)).Select(file => ($"{records}/{Path.GetFileName(file)}", Version(file)))] : [];
    }

    public StoredRecord? Read(string name)
    {
        string file = Path.Combine(folder, name);
        return File.Exists(file) ? new StoredRecord(File.ReadAllBytes(file), Version(file)) : null;
    }

    public bool TryWrite(string name, byte[] content, string? version)
    {
        string file = Path.Combine(folder, name);
        if ((File.Exists(file) ? Version(file) : null) != version) return false;
        DurableFiles.Rewrite(file, content);
        return true;
    }

    public string NameOf(Segment segment) => segment.File;

    public OpenSegments OpenEverything(out IReadOnlyList<string> otherFiles)
    {
        // Before the segments are listed: what is temporary now and has its final name then is among them.
        List<string> temporary;
        using (Maintain()) temporary = [.. TemporaryFiles()];
        var reading = FileLock.Shared(SegmentsLock);
        var segments = Of(Topics.Interactions);
        var all = segments.Visible().Concat(segments.Covered()).ToList();
        otherFiles = [.. temporary, .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is not (".lock" or ".parquet" or ".tmp"))];
        return new OpenSegments(all, reading.Dispose);
    }

    private void RemoveTemporaryFiles()
    {
        foreach (string file in TemporaryFiles()) File.Delete(file);
    }

    /// <summary>Those of a process that died: the writers' locks tell them from those of one at work, the maintenance lock those of a rewrite.</summary>
    private IEnumerable<string> TemporaryFiles()
    {
        foreach (var segments in BothTopics.Select(Of))
            foreach (int partition in segments.Partitions())
            {
                using var writing = FileLock.Exclusive(WriterLock(segments, partition));
                foreach (string file in Directory.GetFiles(segments.Path(partition), ".*.tmp")) yield return file;
            }
    }

    /// <summary>While nobody reads, no query spills: what is there was left by a process that died.</summary>
    private void RemoveSpill()
    {
        if (Directory.Exists(SpillFolder)) DurableFiles.DeleteFolder(SpillFolder);
    }

    private static string Version(string file) => string.Create(CultureInfo.InvariantCulture, $"{File.GetLastWriteTimeUtc(file).Ticks}-{new FileInfo(file).Length}");

    private string SegmentsLock => Path.Combine(folder, ".segments.lock");
    private static string WriterLock(SegmentFolder segments, int partition) => Path.Combine(segments.Path(partition), ".writer.lock");
    private SegmentFolder Of(string topic) => new(Path.Combine(folder, topic));
}
