using System.Diagnostics;
using System.Globalization;

namespace BeeFormer.Streaming.Servers;

/// <summary>A file system of its own size in memory, which can be filled to the last byte. Mounting one takes a privilege.</summary>
public sealed class SmallDisk : IDisposable
{
    private readonly string _filler;

    private SmallDisk(string name, string folder) => (Name, Folder, _filler) = (name, folder, Path.Combine(folder, "filler"));

    public string Name { get; }
    public string Folder { get; }

    /// <returns>Null: this process may not mount.</returns>
    public static SmallDisk? TryMount(string name, string folder, int megabytes)
    {
        Directory.CreateDirectory(folder);
        return Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m"), "tmpfs", folder) ? new SmallDisk(name, folder) : null;
    }

    /// <summary>Takes all that is free.</summary>
    public Task FillAsync() => Task.Run(() =>
    {
        try
        {
            using var file = new FileStream(_filler, FileMode.Append);
            byte[] block = new byte[1 << 16];
            while (true) file.Write(block);
        }
        catch (IOException)
        {
            // full
        }
    });

    public void Free() => File.Delete(_filler);

    public void Dispose() => Run("umount", "-l", Folder);

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // there is no such program
        }
    }
}
