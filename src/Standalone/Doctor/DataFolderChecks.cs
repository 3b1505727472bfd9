using BeeFormer.Streaming.Standalone.Hosting;

namespace BeeFormer.Streaming.Standalone.Doctor;

/// <summary>The data folder: format, owner, whether it can be written durably, room and kind of file system. Nothing in it is changed.</summary>
internal static class DataFolderChecks
{
    private const long LittleRoom = 10L << 30, LeastRoom = 1L << 30;
    private static readonly string[] Remote = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.glusterfs", "afs"];

    public static IEnumerable<Finding> Look(string path, Machine machine)
    {
        string root = Path.GetFullPath(path);
        Finding folder = Folder(path, root);
        yield return folder;
        if (folder.Result == "problem") yield break;
        string there = Existing(root);
        yield return Writing(there);
        yield return Room(machine, there);
        yield return FileSystem(machine, there);
    }

    /// <summary>When a file of the log changed last, or null.</summary>
    public static DateTimeOffset? NewestChange(string path)
    {
        string log = Path.Combine(Path.GetFullPath(path), "log");
        return Directory.Exists(log) ? new DirectoryInfo(log).EnumerateFiles("*", SearchOption.AllDirectories).Select(file => (DateTimeOffset?)file.LastWriteTimeUtc).Max() : null;
    }

    private static Finding Folder(string path, string root)
    {
        const string Check = "data folder";
        if (File.Exists(root)) return Finding.Problem(Check, $"{path} is a file", "Name a folder (--data).");
        if (!Directory.Exists(root)) return Finding.Ok(Check, $"{path} is not there yet; the first start makes it");
        try
        {
            using DataFolder? folder = DataFolder.TryOpenExisting(path);
            string owner = folder is not null ? "nobody works on it" : ServerFile.Read(root) is { } server ? $"the server {server.GetLeftPart(UriPartial.Authority)} works on it" : "another process works on it";
            return Finding.Ok(Check, $"{path} has format {DataFolder.Format}; {owner}");
        }
        catch (IOException) when (!File.Exists(Path.Combine(root, "format.json")))
        {
            return Finding.Ok(Check, $"{path} holds nothing of the program yet");
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return Finding.Problem(Check, failure.Message, "Name another folder (--data), or run the version of the program that made this one, as a user who may write there.");
        }
    }

    /// <summary>A small file is written, flushed to the disk and removed.</summary>
    private static Finding Writing(string folder)
    {
        string probe = Path.Combine(folder, $".doctor-{Guid.NewGuid():N}");
        try
        {
            using (var file = new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                file.Write(new byte[4_096]);
                file.Flush(flushToDisk: true);
            }
            File.Delete(probe);
            return Finding.Ok("data folder: writing", $"files in {folder} can be made, flushed and removed");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Finding.Problem("data folder: writing", failure.Message, $"Let the user that runs the program write to {folder}, on a disk that is not mounted read-only.");
        }
    }

    private static Finding Room(Machine machine, string folder)
    {
        long free;
        try
        {
            free = machine.FreeBytes(folder);
        }
        catch (IOException failure)
        {
            return Finding.Warning("data folder: room", failure.Message, $"See to it that {MachineChecks.Size(LittleRoom)} are free.");
        }
        string found = $"{MachineChecks.Size(free)} free";
        return free < LeastRoom ? Finding.Problem("data folder: room", found, $"Make room: at least {MachineChecks.Size(LeastRoom)}, better {MachineChecks.Size(LittleRoom)}.")
            : free < LittleRoom ? Finding.Warning("data folder: room", found, $"Less than {MachineChecks.Size(LittleRoom)}: make room, or bound what is kept (EventLog:Retention, Storage:Retention, Storage:CacheBytes, Trainer:KeepModels, frozen_cache_mb of the policy).")
            : Finding.Ok("data folder: room", found);
    }

    private static Finding FileSystem(Machine machine, string folder)
    {
        const string Check = "data folder: file system";
        return machine.FileSystem(folder) switch
        {
            null => Finding.Ok(Check, "the system does not tell"),
            "tmpfs" or "ramfs" => Finding.Warning(Check, "in memory", "Put the data folder on a disk: this one is empty after a restart of the machine."),
            { } kind when Remote.Contains(kind, StringComparer.Ordinal) => Finding.Warning(Check, $"{kind}, over the network", "Put the data folder on a local disk: locks and flushes of a network file system may not hold what crash safety rests on. Large data can go to S3 (Storage:Uri)."),
            { } kind => Finding.Ok(Check, kind),
        };
    }

    private static string Existing(string folder)
    {
        while (!Directory.Exists(folder)) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
