using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>
/// A version as one tar file: <c>manifest.json</c>, then <c>encoder/…</c> in ordinal order of the paths. The manifest names every file with length and SHA-256, so nothing else can be in it.
/// </summary>
internal static class ModelArchive
{
    private const string ManifestName = "manifest.json", EncoderName = "encoder/";
    private const int MostFiles = 10_000;

    /// <param name="manifest">With the files as they are in <paramref name="folder"/>.</param>
    public static void Write(Stream archive, ModelManifest manifest, string folder)
    {
        byte[] json = ManifestJson.Write(manifest);
        Ustar.WriteHeader(archive, new Ustar.Entry(ManifestName, json.Length));
        archive.Write(json);
        Ustar.Pad(archive, json.Length);
        foreach (ModelFile file in manifest.Files!.OrderBy(file => file.Path, StringComparer.Ordinal))
        {
            using FileStream content = File.OpenRead(Path.Combine(folder, file.Path));
            Ustar.WriteHeader(archive, new Ustar.Entry(EncoderName + file.Path, file.Bytes));
            content.CopyTo(archive);
            Ustar.Pad(archive, file.Bytes);
        }
        Ustar.WriteEnd(archive);
    }

    /// <summary>Unpacks an archive that may come from anywhere. Sizes are checked before anything is allocated or written.</summary>
    /// <param name="folder">Empty folder for the model's files.</param>
    /// <param name="mostBytes">Most bytes that its files may have together.</param>
    /// <exception cref="InvalidDataException">Names the archive and what was expected.</exception>
    public static ModelManifest Read(Stream archive, string name, string folder, long mostBytes)
    {
        try
        {
            ModelManifest manifest = ReadManifest(archive);
            CheckFiles(manifest.Files ?? throw new FormatException("a manifest without a list of files"), mostBytes);
            var missing = manifest.Files.ToDictionary(file => EncoderName + file.Path, StringComparer.Ordinal);
            while (Ustar.ReadHeader(archive) is { } entry)
            {
                if (!missing.Remove(entry.Name, out ModelFile? file)) throw new FormatException($"\"{entry.Name}\", which its manifest does not name, or names once");
                if (entry.Bytes != file.Bytes) throw new FormatException($"\"{entry.Name}\" with {entry.Bytes} bytes; its manifest says {file.Bytes}");
                ReadFile(archive, file, Path.Combine(folder, file.Path));
            }
            return missing.Count == 0 ? manifest : throw new FormatException($"no \"{missing.Keys.Order(StringComparer.Ordinal).First()}\", which its manifest names");
        }
        catch (FormatException damage)
        {
            throw new InvalidDataException($"{name} holds {damage.Message}; expected an archive as `models export` writes it.", damage);
        }
        catch (EndOfStreamException cut)
        {
            throw new InvalidDataException($"{name} is cut off; expected an archive as `models export` writes it.", cut);
        }
    }

    private static ModelManifest ReadManifest(Stream archive)
    {
        if (Ustar.ReadHeader(archive) is not { Name: ManifestName } entry) throw new FormatException($"no {ManifestName} at its beginning");
        if (entry.Bytes > ModelJson.MostBytes) throw new FormatException($"a manifest of {entry.Bytes} bytes, more than {ModelJson.MostBytes}");
        var json = new byte[entry.Bytes];
        archive.ReadExactly(json);
        Skip(archive, Ustar.Padding(entry.Bytes));
        try
        {
            return ManifestJson.Read(JsonNode.Parse(json) as JsonObject ?? throw new FormatException("it is not a JSON object"));
        }
        catch (Exception damage) when (ModelJson.IsDamage(damage))
        {
            throw new FormatException($"a manifest that cannot be read ({damage.Message.TrimEnd('.')})", damage);
        }
    }

    /// <exception cref="FormatException">They are no files of one model, or more than allowed.</exception>
    internal static void CheckFiles(IReadOnlyList<ModelFile> files, long mostBytes)
    {
        if (files.Count is 0 or > MostFiles) throw new FormatException($"a manifest that names {files.Count} files; 1 to {MostFiles} are allowed");
        // Some file systems take names that differ in case for the same.
        var paths = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        long left = mostBytes;
        foreach (ModelFile file in files)
        {
            if (!ModelFiles.IsInside(file.Path)) throw new FormatException($"a manifest that names the file \"{file.Path}\", which is no plain path inside the model");
            if (!paths.Add(file.Path)) throw new FormatException($"a manifest that names the file \"{file.Path}\" twice");
            if (file.Bytes < 0 || file.Bytes > left) throw new FormatException($"more than {mostBytes} bytes of files, or less than none");
            left -= file.Bytes;
        }
        foreach (string path in paths)
            for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
                if (paths.Contains(path[..slash])) throw new FormatException($"a manifest that names \"{path[..slash]}\" both as a file and as a folder");
    }

    private static void ReadFile(Stream archive, ModelFile file, string target)
    {
        DurableFiles.CreateFolder(Path.GetDirectoryName(target)!);
        DiskChange.Before("write", target);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            using var stream = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
            for (long left = file.Bytes; left > 0;)
            {
                int read = archive.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
                if (read == 0) throw new EndOfStreamException();
                hash.AppendData(buffer, 0, read);
                stream.Write(buffer, 0, read);
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        Skip(archive, Ustar.Padding(file.Bytes));
        string digest = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (digest != file.Sha256) throw new FormatException($"\"{EncoderName}{file.Path}\" with SHA-256 {digest}; its manifest says {file.Sha256}");
    }

    private static void Skip(Stream archive, int bytes) => archive.ReadExactly(new byte[bytes]);
}
