using System.Globalization;

namespace BeeFormer.Streaming.WindowStore.S3;

/// <summary>
/// Copies of objects on this machine, named by ETag. Who reads them shares <c>.cache.lock</c>; files are only removed by who has it alone, so never one in use, between processes as well.
/// </summary>
internal sealed class S3Cache(string folder, long maxBytes, TimeProvider time)
{
    public string SpillFolder => Path.Combine(folder, ".spill");

    public void Create() => Directory.CreateDirectory(folder);

    public IDisposable Share() => FileLock.Shared(LockFile);

    public IDisposable Maintain() => FileLock.Exclusive(Path.Combine(folder, ".maintenance.lock"));

    public string NewTemporary() => Path.Combine(folder, $".write-{Guid.NewGuid():N}.tmp");

    /// <summary>The partition is in the path, as in the bucket: DuckDB takes it from there.</summary>
    public string File(string topic, Segment segment) => Path.Combine(folder, topic, $"p={segment.Partition}",
        string.Create(CultureInfo.InvariantCulture, $"{segment.First:D20}-{string.Concat(segment.Version.Where(char.IsAsciiLetterOrDigit))}.parquet"));

    /// <summary>Whether the copy is there and whole; marks it as used now.</summary>
    public bool Has(string file, long size)
    {
        var info = new FileInfo(file);
        if (!info.Exists || info.Length != size) return false;
        System.IO.File.SetLastWriteTimeUtc(file, time.GetUtcNow().UtcDateTime);
        return true;
    }

    public void Add(string file, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        string temporary = NewTemporary();
        System.IO.File.WriteAllBytes(temporary, content);
        System.IO.File.SetLastWriteTimeUtc(temporary, time.GetUtcNow().UtcDateTime);
        System.IO.File.Move(temporary, file, overwrite: true);
    }

    /// <summary>Removes copies that no object stands behind any more, if nobody reads. Who rewrote an object waits for the readers instead.</summary>
    /// <param name="listed">Copies of all that is listed now.</param>
    public void RemoveOthers(string topic, IReadOnlySet<string> listed, bool wait)
    {
        var stale = Copies(topic).Where(file => !listed.Contains(file)).ToList();
        if (stale.Count == 0) return;
        using var alone = wait ? FileLock.Exclusive(LockFile) : FileLock.TryExclusive(LockFile);
        if (alone is null) return;
        foreach (string file in stale) System.IO.File.Delete(file);
        RemoveTemporary();
    }

    /// <summary>Removes the copies used longest ago until the rest fits, and what dead processes left, if nobody reads.</summary>
    public void Trim()
    {
        using var alone = FileLock.TryExclusive(LockFile);
        if (alone is null) return;
        RemoveTemporary();
        var copies = Directory.EnumerateFiles(folder, "*.parquet", SearchOption.AllDirectories).Select(file => new FileInfo(file)).OrderBy(file => file.LastWriteTimeUtc).ToList();
        long bytes = copies.Sum(file => file.Length);
        foreach (var copy in copies)
        {
            if (bytes <= maxBytes) return;
            bytes -= copy.Length;
            copy.Delete();
        }
    }

    /// <summary>Every file but the locks.</summary>
    public IEnumerable<string> Files() => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal));

    private void RemoveTemporary()
    {
        foreach (string file in Directory.GetFiles(folder, ".*.tmp")) System.IO.File.Delete(file);
        if (Directory.Exists(SpillFolder)) Directory.Delete(SpillFolder, recursive: true);
    }

    private IEnumerable<string> Copies(string topic)
    {
        string path = Path.Combine(folder, topic);
        return Directory.Exists(path) ? Directory.EnumerateFiles(path, "*.parquet", SearchOption.AllDirectories) : [];
    }

    private string LockFile => Path.Combine(folder, ".cache.lock");
}
