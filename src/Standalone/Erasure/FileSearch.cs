using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace BeeFormer.Streaming.Standalone.Erasure;

/// <summary>Looks for an id's bytes in every file under a folder. It knows no formats: a hit between letters or digits is probably a part of a longer id.</summary>
internal static partial class FileSearch
{
    /// <summary>Shorter ids are found anywhere by chance.</summary>
    public const int ShortestId = 6;

    private const int BlockBytes = 1 << 20;
    private const int ReadOnly = 0, CloseOnExec = 0x80000, NoSuchFile = 2; // O_RDONLY, O_CLOEXEC, ENOENT

    /// <param name="Files">Files looked through.</param>
    /// <param name="Holding">Files that hold the id, or cannot be read; relative paths.</param>
    /// <param name="Perhaps">Files that hold it as what is probably a part of a longer id.</param>
    public sealed record Result(int Files, IReadOnlyList<string> Holding, IReadOnlyList<string> Perhaps);

    public static Result Find(string root, string id, CancellationToken cancellationToken)
    {
        byte[] sought = Encoding.UTF8.GetBytes(id);
        var block = new byte[BlockBytes + sought.Length + 1];
        int files = 0;
        List<string> holding = [], perhaps = [];
        foreach (string file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string name = Path.GetRelativePath(root, file);
            if (name.Contains(id, StringComparison.Ordinal)) holding.Add(name + " (its name)");
            try
            {
                if (new FileInfo(file).Length == 0) continue; // locks, too, which nobody else may open
                files++;
                bool part = false;
                if (Holds(file, sought, block, ref part)) holding.Add(name);
                else if (part) perhaps.Add(name);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // Removed meanwhile.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                holding.Add($"{name} (cannot be read: {e.Message})");
            }
        }
        return new Result(files, holding, perhaps);
    }

    private static bool Holds(string file, byte[] sought, byte[] block, ref bool part)
    {
        using var stream = new FileStream(Open(file), FileAccess.Read, 0);
        int kept = 0;
        for (bool last = false; !last;)
        {
            int read = stream.ReadAtLeast(block.AsSpan(kept), block.Length - kept, throwOnEndOfStream: false);
            last = kept + read < block.Length;
            var text = block.AsSpan(0, kept + read);
            // One byte before and one behind a hit tell whether it stands by itself; the block's last hit waits for them.
            int end = last ? text.Length : text.Length - 1;
            for (int from = kept == 0 ? 0 : 1; from + sought.Length <= end && text[from..end].IndexOf(sought) is >= 0 and var at; from += at + 1)
            {
                if (!Continues(text, from + at - 1) && !Continues(text, from + at + sought.Length)) return true;
                part = true;
            }
            kept = Math.Min(sought.Length + 1, text.Length);
            text[^kept..].CopyTo(block);
        }
        return false;
    }

    /// <summary>Without the advisory lock that .NET takes for every open file: whoever creates a file for itself alone at this moment must not fail because it is searched.</summary>
    private static SafeFileHandle Open(string file)
    {
        if (OperatingSystem.IsWindows()) return File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        int descriptor = Open(file, ReadOnly | CloseOnExec);
        if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true);
        int errno = Marshal.GetLastPInvokeError();
        throw errno == NoSuchFile ? new FileNotFoundException(null, file) : new IOException(new Win32Exception(errno).Message);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    private static bool Continues(ReadOnlySpan<byte> text, int at) => (uint)at < (uint)text.Length && char.IsAsciiLetterOrDigit((char)text[at]);
}
