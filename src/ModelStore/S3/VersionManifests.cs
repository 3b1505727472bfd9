using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>Where a version's objects lie, <c>models/&lt;place&gt;/{encoder/…, manifest.json, erasures.json}</c>, and its manifest. What a version is does not change, so it is read once.</summary>
internal sealed class VersionManifests(S3Objects objects)
{
    private readonly ConcurrentDictionary<string, ModelManifest> known = new(StringComparer.Ordinal);

    public static string FolderOf(string place) => $"models/{place}/";
    public static string FileOf(string place, string path) => $"models/{place}/encoder/{path}";
    public static string ErasuresOf(string place) => $"models/{place}/erasures.json";
    private static string ManifestOf(string place) => $"models/{place}/manifest.json";

    public void Write(string place, ModelManifest manifest)
    {
        objects.Put(ManifestOf(place), ManifestJson.Write(manifest));
        known[place] = manifest;
    }

    /// <exception cref="InvalidDataException">It is missing or damaged.</exception>
    public ModelManifest Read(RootVersion version)
    {
        if (known.TryGetValue(version.Place, out ModelManifest? read)) return read;
        string name = ManifestOf(version.Place);
        byte[] content = objects.GetChanged(name, known: null, ModelJson.MostBytes).Content?.Bytes ?? throw new InvalidDataException($"{objects.FullName(name)} is missing.");
        return known[version.Place] = ModelJson.Parse(content, objects.FullName(name), json => Checked(json, version.Version));
    }

    /// <exception cref="FormatException">It is not the manifest of this version, or it names no files that may be written.</exception>
    public static ModelManifest Checked(JsonObject json, ModelVersion version)
    {
        ModelManifest manifest = ManifestJson.Read(json);
        if (manifest.Version != version) throw new FormatException($"it describes version {manifest.Version}, not {version}.");
        ModelArchive.CheckFiles(manifest.Files ?? throw new FormatException("it names no files."), long.MaxValue);
        return manifest;
    }

    /// <returns>Null: it is missing or damaged.</returns>
    public ModelManifest? TryRead(RootVersion version, out string? problem)
    {
        problem = null;
        try
        {
            return Read(version);
        }
        catch (InvalidDataException damage)
        {
            problem = damage.Message;
            return null;
        }
    }

    /// <summary>All of a list, several at once.</summary>
    public List<ModelManifest> ReadAll(IReadOnlyList<RootVersion> versions) => [.. S3Calls.AtOnce(versions, version => TryRead(version, out _)).OfType<ModelManifest>()];
}
