using System.Security.Cryptography;
using System.Text;

namespace BeeFormer.Streaming.Encoder;

/// <summary>What the encoder of a folder is made of: every file but the head's and the text template.</summary>
internal static class EncoderFiles
{
    /// <summary>
    /// SHA-256 over names and contents: the same for versions that differ only in their heads or templates, be their files links or copies. Found by reading the files once, without making
    /// tensors, so nothing of the weights' size comes into memory to learn that it is there already; and a file that was damaged on disk never passes for the one in memory.
    /// </summary>
    /// <param name="head">Null: the folder holds no head.</param>
    internal static string Digest(string folder, HeadFiles.Found? head)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\0"));
        bool IsHeads(string place) => head is not null && (place == HeadFiles.Folder || head.Modules.Contains(place));

        // modules.json lists the head's modules too: what it says of the others counts.
        foreach (ModuleEntry module in ModuleEntry.Read(folder).Where(module => !IsHeads(module.Path))) Add($"{module.Path}\0{module.Kind}");
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string name = Path.GetRelativePath(folder, file);
            if (name is ModuleEntry.FileName or ItemTextFile.Name || IsHeads(name.Split(Path.DirectorySeparatorChar)[0])) continue;
            Add(name);
            using FileStream contents = new(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 20, FileOptions.SequentialScan);
            hash.AppendData(SHA256.HashData(contents));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
