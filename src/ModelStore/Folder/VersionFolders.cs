using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>The folders of all versions, <c>&lt;version&gt;/{encoder/, manifest.json, erasures.json}</c>, and what is wrong with them.</summary>
internal sealed class VersionFolders(string models)
{
    private const string RemovedPrefix = ".old-";

    public string Folder => models;

    public string Of(ModelVersion version) => ModelNames.IsVersion(version.Value) ? Path.Combine(models, version.Value)
        : throw new ArgumentException($"\"{version}\" is not a model version; expected a name such as 000012-9f3ab07c.", nameof(version));

    public string EncoderOf(ModelVersion version) => Path.Combine(Of(version), "encoder");

    public string ErasuresOf(ModelVersion version) => Path.Combine(Of(version), "erasures.json");

    public bool Exist(ModelVersion version) => ModelNames.IsVersion(version.Value) && Directory.Exists(Of(version));

    public string NoSuch(ModelVersion version) => $"There is no model version {version} in {models}.";

    /// <summary>Oldest first.</summary>
    public List<ModelVersion> All() => [.. Directory.EnumerateDirectories(models).Select(path => Path.GetFileName(path)).Where(ModelNames.IsVersion).Order(StringComparer.Ordinal).Select(name => new ModelVersion(name))];

    public ModelManifest Manifest(ModelVersion version)
    {
        string file = Path.Combine(Of(version), "manifest.json");
        var manifest = ModelJson.Read(file, ManifestJson.Read);
        return manifest.Version == version ? manifest : throw new InvalidDataException($"{file} describes version {manifest.Version}; expected {version}, the name of its folder.");
    }

    /// <returns>Null when the manifest is damaged, or the version has just been removed.</returns>
    public ModelManifest? TryManifest(ModelVersion version, out string? problem)
    {
        problem = null;
        try
        {
            return Manifest(version);
        }
        catch (Exception damage) when (damage is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            problem = damage.Message;
            return null;
        }
    }

    /// <param name="compare">The encoder's folder with the files of the manifest.</param>
    public string? FilesProblem(ModelVersion version, IReadOnlyList<ModelFile> files, Func<string, IReadOnlyList<ModelFile>, string?> compare)
    {
        try
        {
            return compare(EncoderOf(version), files);
        }
        catch (Exception damage) when (damage is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return damage.Message;
        }
    }

    /// <summary>Takes the name away in one step, then the files.</summary>
    public void Remove(ModelVersion version)
    {
        string gone = Path.Combine(models, $"{RemovedPrefix}{Guid.NewGuid():N}");
        DurableFiles.MoveFolder(Of(version), gone);
        DurableFiles.DeleteFolder(gone);
    }

    /// <summary>Removes what processes left that died while they removed; nobody else may do that at the same time.</summary>
    public void RemoveLeftovers()
    {
        foreach (string leftover in Directory.GetDirectories(models, RemovedPrefix + "*")) DurableFiles.DeleteFolder(leftover);
    }
}
