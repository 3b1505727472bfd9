using System.Security.Cryptography;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>
/// Versions as folders on this machine, <c>&lt;version&gt;.&lt;place&gt;/{encoder/…, manifest.json}</c>: filled under another name, compared with the manifest, then named in one step. Any number of processes may share them. Equal files of
/// several versions are one on disk.
/// </summary>
internal sealed class ModelCopies
{
    private readonly string folder, locks;
    /// <summary>Places whose copy this process has compared byte by byte.</summary>
    private readonly HashSet<string> compared = new(StringComparer.Ordinal);

    public ModelCopies(string folder)
    {
        (this.folder, locks) = (folder, Path.Combine(folder, "locks"));
        DurableFiles.CreateFolder(locks);
        RemoveLeftovers();
    }

    /// <summary>The version's copy, fetched unless it is there.</summary>
    /// <param name="compare">Every byte, whether or not that was done before.</param>
    /// <param name="fetch">Given a file of the model, and the name of the file to write.</param>
    public string Folder(RootVersion version, ModelManifest manifest, bool compare, Action<ModelFile, string> fetch)
    {
        string copy = FolderOf(version);
        bool known;
        lock (compared) known = !compare && compared.Contains(version.Place);
        if (!IsWhole(copy, manifest, known ? ModelFiles.Missing : ModelFiles.Changed))
        {
            using NewCopy filling = Begin(version.Place);
            if (!IsWhole(copy, manifest, ModelFiles.Changed)) // another process may have been faster
            {
                foreach (ModelFile file in manifest.Files!)
                {
                    string target = Path.Combine(filling.Encoder, file.Path);
                    DurableFiles.CreateFolder(Path.GetDirectoryName(target)!);
                    if (!TryShare(file, target)) fetch(file, target);
                }
                if (ModelFiles.Changed(filling.Encoder, manifest.Files!) is { } problem) throw new InvalidDataException(problem);
                Keep(filling, version, manifest);
            }
        }
        lock (compared) compared.Add(version.Place);
        return EncoderOf(copy);
    }

    /// <summary>A folder for a version that is being made or fetched; nobody else fills the same place meanwhile.</summary>
    public NewCopy Begin(string place) => new(Path.Combine(folder, $".new-{place}"), Path.Combine(locks, place));

    /// <summary>Gives a filled folder the version's name.</summary>
    public void Keep(NewCopy filled, RootVersion version, ModelManifest manifest)
    {
        DurableFiles.Write(ManifestOf(filled.Folder), ManifestJson.Write(manifest));
        LinkedFiles.FlushTree(filled.Folder);
        if (Directory.Exists(FolderOf(version))) Remove(FolderOf(version)); // it is damaged; who has it open keeps what it has
        DurableFiles.MoveFolder(filled.Folder, FolderOf(version));
    }

    /// <summary>Keeps the copy from being removed.</summary>
    public IDisposable Use(string place) => FileLock.Shared(UseLock(place));

    /// <summary>The copy of a version as it lies here, compared with its manifest; the store is not asked.</summary>
    /// <returns>Null: there is none, or it is damaged.</returns>
    public ModelInUse? TryUse(ModelVersion version)
    {
        foreach (string copy in Directory.GetDirectories(folder, $"{version}.*"))
        {
            string place = Path.GetExtension(copy)[1..];
            IDisposable use = Use(place);
            bool known;
            lock (compared) known = compared.Contains(place);
            if (Manifest(copy, version) is { } manifest && IsWhole(copy, manifest, known ? ModelFiles.Missing : ModelFiles.Changed)) return new ModelInUse(manifest, EncoderOf(copy), use);
            use.Dispose();
        }
        return null;
    }

    private static ModelManifest? Manifest(string copy, ModelVersion version)
    {
        try
        {
            return ModelJson.Read(ManifestOf(copy), json => VersionManifests.Checked(json, version));
        }
        catch (Exception damage) when (damage is InvalidDataException or IOException)
        {
            return null;
        }
    }

    /// <summary>Removes copies that no version stands behind any more, unless they are used here.</summary>
    public void RemoveOthers(IReadOnlyList<RootVersion> versions)
    {
        var kept = versions.Select(version => Path.GetFileName(FolderOf(version))).ToHashSet(StringComparer.Ordinal);
        foreach (string copy in Directory.GetDirectories(folder, "??????-????????.*").Where(copy => !kept.Contains(Path.GetFileName(copy))))
        {
            string place = Path.GetExtension(copy)[1..];
            using IDisposable? unused = FileLock.TryExclusive(UseLock(place));
            if (unused is null) continue;
            Remove(copy);
            DurableFiles.DeleteFile(UseLock(place));
        }
        RemoveLeftovers();
    }

    private void RemoveLeftovers()
    {
        foreach (string leftover in Directory.GetDirectories(folder, ".new-*"))
        {
            string file = Path.Combine(locks, Path.GetFileName(leftover)[5..]);
            using IDisposable? unused = FileLock.TryExclusive(file);
            if (unused is null) continue;
            Delete(leftover);
            DurableFiles.DeleteFile(file);
        }
    }

    /// <summary>Takes the name away in one step, then the files. A crash leaves a folder that is removed as one that was never finished.</summary>
    private void Remove(string copy)
    {
        string gone = Path.Combine(folder, $".new-{Guid.NewGuid():N}");
        DurableFiles.MoveFolder(copy, gone);
        Delete(gone);
    }

    private static void Delete(string folder)
    {
        try
        {
            DurableFiles.DeleteFolder(folder);
        }
        catch (IOException) when (!Directory.Exists(folder))
        {
            // Another process did it at the same time.
        }
    }

    /// <summary>A file of another copy that is equal gets a second name.</summary>
    private bool TryShare(ModelFile file, string target)
    {
        foreach (string copy in Directory.GetDirectories(folder, "??????-????????.*").OrderDescending(StringComparer.Ordinal).Take(3))
        {
            string other = Path.Combine(EncoderOf(copy), file.Path);
            try
            {
                if (new FileInfo(other) is not { Exists: true } found || found.Length != file.Bytes || Sha256(other) != file.Sha256) continue;
                return DurableFiles.TryLink(other, target);
            }
            catch (IOException)
            {
                // It was removed just now, or the file system knows no links.
            }
        }
        return false;
    }

    /// <summary>With the very manifest beside it; a program that writes it otherwise makes the copy anew, of the same files.</summary>
    private static bool IsWhole(string copy, ModelManifest manifest, Func<string, IReadOnlyList<ModelFile>, string?> compare)
    {
        try
        {
            return File.Exists(ManifestOf(copy)) && File.ReadAllBytes(ManifestOf(copy)).AsSpan().SequenceEqual(ManifestJson.Write(manifest)) && Directory.Exists(EncoderOf(copy)) && compare(EncoderOf(copy), manifest.Files!) is null;
        }
        catch (Exception damage) when (damage is InvalidDataException or IOException)
        {
            return false;
        }
    }

    private static string Sha256(string file)
    {
        using FileStream stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private string FolderOf(RootVersion version) => Path.Combine(folder, $"{version.Version}.{version.Place}");
    private static string EncoderOf(string copy) => Path.Combine(copy, "encoder");
    private static string ManifestOf(string copy) => Path.Combine(copy, "manifest.json");
    private string UseLock(string place) => Path.Combine(locks, $"{place}.use");

    /// <summary>Removed unless it got its name.</summary>
    public sealed class NewCopy : IDisposable
    {
        private readonly IDisposable filling;
        private readonly string file;

        public NewCopy(string folder, string file)
        {
            filling = FileLock.Exclusive(file);
            (Folder, this.file) = (folder, file);
            if (Directory.Exists(folder)) DurableFiles.DeleteFolder(folder);
            DurableFiles.CreateFolder(Encoder);
        }

        public string Folder { get; }
        public string Encoder => EncoderOf(Folder);

        public void Dispose()
        {
            try
            {
                if (Directory.Exists(Folder)) DurableFiles.DeleteFolder(Folder);
                DurableFiles.DeleteFile(file);
            }
            finally
            {
                filling.Dispose();
            }
        }
    }
}
