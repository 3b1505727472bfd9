using System.Diagnostics;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>A file system of its own, of a few megabytes, in memory. Mounting it takes root's rights.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string folder) => Folder = folder;

    public string Folder { get; }

    public static SmallDisk Mount(int megabytes)
    {
        string folder = Directory.CreateTempSubdirectory("beeformer-small-disk-").FullName;
        if (OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", folder)) return new SmallDisk(folder);
        Directory.Delete(folder);
        Assert.Skip("A small disk is mounted here, which takes Linux and root's rights.");
        throw new UnreachableException();
    }

    /// <summary>Takes the space but for a rest.</summary>
    public void Fill(int restBytes)
    {
        long free = new DriveInfo(Folder).AvailableFreeSpace - restBytes;
        using var ballast = new FileStream(Path.Combine(Folder, "ballast"), FileMode.Create);
        var zeros = new byte[1 << 16];
        for (; free > 0; free -= zeros.Length) ballast.Write(zeros, 0, (int)Math.Min(free, zeros.Length));
    }

    public void Free() => File.Delete(Path.Combine(Folder, "ballast"));

    public void Dispose()
    {
        Run("umount", "-l", Folder);
        Directory.Delete(Folder, recursive: true);
    }

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true });
            process!.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
