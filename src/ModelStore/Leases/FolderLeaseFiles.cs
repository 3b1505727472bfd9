using System.Globalization;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>Leases in a folder. Beside the record, a holder keeps <c>&lt;holder&gt;.lock</c> locked: if that is free, it died on this machine, and nobody has to wait.</summary>
internal sealed class FolderLeaseFiles(string folder) : ILeaseFiles
{
    private const int MostBytes = 4096;
    private readonly string folder = Path.GetFullPath(folder);

    /// <summary>Processes of one kernel see each other's file locks, whatever containers they run in; on other machines a lock may look free and be held.</summary>
    public string Machine { get; } = OperatingSystem.IsLinux() ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : Environment.MachineName;

    public long Highest(string name) => Tokens(name).DefaultIfEmpty().Max();

    public byte[]? Read(string name, long token)
    {
        try
        {
            using var stream = File.OpenRead(FileOf(name, token));
            var content = new byte[MostBytes];
            return content[..stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false)];
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public bool TryCreate(string name, long token, byte[] content)
    {
        DurableFiles.CreateFolder(In(name));
        string temporary = Path.Combine(In(name), $".new-{Guid.NewGuid():N}.tmp");
        DurableFiles.Write(temporary, content);
        return DurableFiles.TryPublish(temporary, FileOf(name, token));
    }

    public bool TryRewrite(string name, long token, byte[] content)
    {
        if (!File.Exists(FileOf(name, token))) return false;
        DurableFiles.Rewrite(FileOf(name, token), content);
        return true;
    }

    public void RemoveBelow(string name, long token)
    {
        foreach (long old in Tokens(name).Where(old => old < token)) DurableFiles.DeleteFile(FileOf(name, old));
        foreach (string file in Directory.GetFiles(In(name), "*.lock"))
        {
            using IDisposable? unused = FileLock.TryExclusive(file);
            if (unused is not null) DurableFiles.DeleteFile(file);
        }
    }

    public IDisposable? Attend(string name, Guid holder)
    {
        DurableFiles.CreateFolder(In(name));
        IDisposable held = FileLock.Exclusive(LockOf(name, holder));
        using IDisposable? again = FileLock.TryExclusive(LockOf(name, holder));
        if (again is null) return held;
        held.Dispose(); // a file system whose locks keep nobody out
        return null;
    }

    public bool HasEnded(string name, LeaseRecord record)
    {
        if (!record.Locked || record.Machine != Machine || !File.Exists(LockOf(name, record.Holder))) return false;
        using IDisposable? free = FileLock.TryExclusive(LockOf(name, record.Holder));
        return free is not null;
    }

    private IEnumerable<long> Tokens(string name) => !Directory.Exists(In(name)) ? []
        : Directory.EnumerateFiles(In(name), "*.json").Select(file => long.TryParse(Path.GetFileNameWithoutExtension(file), NumberStyles.None, CultureInfo.InvariantCulture, out long token) ? token : 0);

    private string In(string name) => Path.Combine(folder, name);
    private string FileOf(string name, long token) => Path.Combine(In(name), string.Create(CultureInfo.InvariantCulture, $"{token:D20}.json"));
    private string LockOf(string name, Guid holder) => Path.Combine(In(name), $"{holder:N}.lock");
}
