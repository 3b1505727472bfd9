using System.Text;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>The marker file that says which layout a folder has.</summary>
internal static class StoreFormat
{
    public const string File = "window-store.format";
    public const string Current = "beeformer window store, format 1";

    /// <summary>Claims an empty folder, or checks that the folder was made by this format.</summary>
    /// <exception cref="InvalidDataException">The folder has another format.</exception>
    public static void Claim(string folder)
    {
        DurableFiles.CreateFolder(folder);
        string marker = Path.Combine(folder, File);
        if (!System.IO.File.Exists(marker))
        {
            if (Directory.Exists(Path.Combine(folder, "interactions")) || Directory.Exists(Path.Combine(folder, "items")))
                throw new InvalidDataException($"{folder} holds segments but no {File}; expected a folder that a window store made, or an empty one.");
            string temporary = Path.Combine(folder, $".format-{Guid.NewGuid():N}.tmp");
            DurableFiles.Write(temporary, Encoding.UTF8.GetBytes(Current + "\n"));
            DurableFiles.TryPublish(temporary, marker);
        }
        using var stream = System.IO.File.OpenRead(marker);
        var head = new byte[256];
        string found = Encoding.UTF8.GetString(head, 0, stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)).Trim();
        if (found != Current) throw new InvalidDataException($"{marker} says \"{found}\", expected \"{Current}\": the folder was made by another version and is left untouched.");
    }
}
