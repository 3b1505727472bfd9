using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.Standalone.Reports;

/// <summary>Replaces a file in one step: temporary file, flush to disk, rename, flush of the folder.</summary>
internal static partial class DurableFile
{
    public static void Write(string file, Action<Stream> write)
    {
        string full = Path.GetFullPath(file), folder = Path.GetDirectoryName(full)!, temporary = full + ".tmp";
        Directory.CreateDirectory(folder);
        using (FileStream stream = File.Create(temporary))
        {
            write(stream);
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, full, overwrite: true);
        FlushFolder(folder);
    }

    /// <summary>A rename is durable only when the folder is; .NET opens no folders, so this asks the C library. Windows needs none of it.</summary>
    private static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        int descriptor = Open(folder, 0);
        if (descriptor < 0) throw new IOException($"{folder} cannot be flushed to disk: error {Marshal.GetLastPInvokeError()} at opening it.");
        int result = FSync(descriptor), error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (result != 0) throw new IOException($"{folder} cannot be flushed to disk: error {error}.");
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
