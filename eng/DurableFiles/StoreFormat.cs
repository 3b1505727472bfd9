using System.Text;

namespace BeeFormer.Streaming;

/// <summary>The marker file that says which layout a store's folder has.</summary>
internal static class StoreFormat
{
    private const int LongestFormat = 256;

    /// <summary>Claims an empty folder, or checks that the folder was made by this format.</summary>
    /// <param name="marker">Name of the marker file.</param>
    /// <param name="contents">Folders inside that show that a store was here.</param>
    /// <exception cref="InvalidDataException">The folder has another format.</exception>
    public static void Claim(string folder, string marker, string format, params string[] contents)
    {
        DurableFiles.CreateFolder(folder);
        string file = Path.Combine(folder, marker);
        if (!File.Exists(file))
        {
            if (Array.Find(contents, content => Directory.Exists(Path.Combine(folder, content))) is { } found)
                throw new InvalidDataException($"{folder} holds {found} but no {marker}; expected a folder that this store made, or an empty one.");
            string temporary = Path.Combine(folder, $".format-{Guid.NewGuid():N}.tmp");
            DurableFiles.Write(temporary, Encoding.UTF8.GetBytes(format + "\n"));
            DurableFiles.TryPublish(temporary, file);
        }
        using var stream = File.OpenRead(file);
        var head = new byte[LongestFormat];
        string claimed = Encoding.UTF8.GetString(head, 0, stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)).Trim();
        if (claimed != format) throw new InvalidDataException($"{file} says \"{claimed}\", expected \"{format}\": the folder was made by another version and is left untouched.");
    }
}
