using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>The model store on a folder: <c>models/&lt;version&gt;/{encoder/, manifest.json}</c>, the file <c>live</c>, <c>refusals/</c>. Any number of threads and processes may use it at once.</summary>
public sealed partial class FolderModelStore : IModelStore
{
    private const string FormatFile = "model-store.format";
    private const string Format = "beeformer model store, format 1";
    /// <summary>In the folder of a version that was published to go live: the version whose place it takes. There only until it has.</summary>
    private const string PromiseFile = "live-after";
    private readonly string folder;
    private readonly string models;
    private readonly string refusals;
    private readonly TimeProvider time;

    /// <exception cref="InvalidDataException">The folder was made by another format version.</exception>
    public FolderModelStore(string folder, TimeProvider time)
    {
        this.folder = Path.GetFullPath(folder);
        this.time = time;
        models = Path.Combine(this.folder, "models");
        refusals = Path.Combine(this.folder, "refusals");
        StoreFormat.Claim(this.folder, FormatFile, Format, "models");
        DurableFiles.CreateFolder(models);
        DurableFiles.CreateFolder(refusals);
        RemoveLeftovers();
        KeepPromises();
    }

    public ModelVersion? Live
    {
        get
        {
            if (!File.Exists(LiveFile)) return null;
            string text = File.ReadAllText(LiveFile).Trim();
            return VersionName().IsMatch(text) ? new ModelVersion(text)
                : throw new InvalidDataException($"{LiveFile} does not name a model version; expected a line such as 000012-9f3ab07c.");
        }
    }

    public IReadOnlyList<ModelManifest> List() => [.. Versions().Select(ReadManifest)];

    public ModelManifest? Find(ModelVersion version) => Exists(version) ? ReadManifest(version) : null;

    public string EncoderFolder(ModelVersion version) => Path.Combine(VersionFolder(version), "encoder");

    public ModelManifest Publish(ModelDraft draft, Action<string> writeEncoder)
    {
        using var publishing = FileLock.Exclusive(PublishLock);
        return Publish(draft, writeEncoder, promise: null);
    }

    public (ModelManifest Manifest, bool Live) PublishLive(ModelDraft draft, ModelVersion expected, Action<string> writeEncoder)
    {
        using var publishing = FileLock.Exclusive(PublishLock);
        ModelManifest manifest = Publish(draft, writeEncoder, promise: expected.Value);
        return (manifest, KeepPromise(manifest.Version));
    }

    private ModelManifest Publish(ModelDraft draft, Action<string> writeEncoder, string? promise)
    {
        if (!FingerprintText().IsMatch(draft.Fingerprint.Value)) throw new ArgumentException($"Fingerprint \"{draft.Fingerprint}\" is not a SHA-256 in lower-case hexadecimal.", nameof(draft));
        if (draft.Dimension <= 0) throw new ArgumentException($"Dimension is {draft.Dimension}; expected 1 or more.", nameof(draft));
        string temporary = Path.Combine(models, $".new-{Guid.NewGuid():N}");
        string encoder = Path.Combine(temporary, "encoder");
        try
        {
            Directory.CreateDirectory(encoder);
            writeEncoder(encoder);
            if (!Directory.EnumerateFiles(encoder, "*", SearchOption.AllDirectories).Any()) throw new InvalidOperationException("Nothing was written to the new model's folder.");

            var versions = Versions();
            int number = versions.Count == 0 ? 1 : int.Parse(versions[^1].Value.AsSpan(0, 6), CultureInfo.InvariantCulture) + 1;
            if (versions.Count > 0) LinkedFiles.ShareEqual(EncoderFolder(versions[^1]), encoder);
            var manifest = new ModelManifest(ModelVersion.Of(number, draft.Fingerprint), time.GetUtcNow(), draft);
            DurableFiles.Write(Path.Combine(temporary, "manifest.json"), ManifestJson.Write(manifest));
            if (promise is not null) DurableFiles.Write(Path.Combine(temporary, PromiseFile), Encoding.UTF8.GetBytes(promise));
            LinkedFiles.FlushTree(temporary);
            Directory.Move(temporary, VersionFolder(manifest.Version));
            DurableFiles.FlushFolder(models);
            return manifest;
        }
        catch
        {
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
            throw;
        }
    }

    public bool TryMoveLive(ModelVersion? expected, ModelVersion next)
    {
        using var moving = FileLock.Exclusive(Path.Combine(folder, ".live.lock"));
        if (!Exists(next)) throw new ArgumentException($"There is no model version {next} in {models}.", nameof(next));
        if (Live != expected) return false;
        DurableFiles.Rewrite(LiveFile, Encoding.UTF8.GetBytes(next.Value + "\n"));
        if (expected is { } left) ForgetPromise(left);
        return true;
    }

    /// <returns>Whether the version went live just now.</returns>
    private bool KeepPromise(ModelVersion version)
    {
        bool moved = TryMoveLive(new ModelVersion(File.ReadAllText(Path.Combine(VersionFolder(version), PromiseFile))), version);
        ForgetPromise(version);
        return moved;
    }

    private void ForgetPromise(ModelVersion version)
    {
        string promise = Path.Combine(VersionFolder(version), PromiseFile);
        if (!File.Exists(promise)) return;
        File.Delete(promise);
        DurableFiles.FlushFolder(VersionFolder(version));
    }

    /// <summary>A process that died between publishing and moving <c>live</c> left a model that had passed: it goes live now, unless another took that place.</summary>
    private void KeepPromises()
    {
        using var publishing = FileLock.Exclusive(PublishLock);
        foreach (ModelVersion version in Versions().Where(version => File.Exists(Path.Combine(VersionFolder(version), PromiseFile)))) KeepPromise(version);
    }

    public void RecordRefusal(Refusal refusal)
    {
        byte[] json = RefusalJson.Write(refusal);
        using var publishing = FileLock.Exclusive(PublishLock);
        string[] files = RefusalFiles();
        int number = files.Length == 0 ? 1 : int.Parse(Path.GetFileNameWithoutExtension(files[^1]), CultureInfo.InvariantCulture) + 1;
        string temporary = Path.Combine(refusals, $".new-{Guid.NewGuid():N}");
        DurableFiles.Write(temporary, json);
        DurableFiles.TryPublish(temporary, Path.Combine(refusals, $"{number:D6}.json"));
    }

    public IReadOnlyList<Refusal> Refusals() => [.. RefusalFiles().Select(file => ModelJson.Read(file, RefusalJson.Read))];

    private string LiveFile => Path.Combine(folder, "live");
    private string PublishLock => Path.Combine(folder, ".publish.lock");

    private string VersionFolder(ModelVersion version) => VersionName().IsMatch(version.Value) ? Path.Combine(models, version.Value)
        : throw new ArgumentException($"\"{version}\" is not a model version; expected a name such as 000012-9f3ab07c.", nameof(version));

    private bool Exists(ModelVersion version) => version.Value is not null && VersionName().IsMatch(version.Value) && Directory.Exists(VersionFolder(version));

    private List<ModelVersion> Versions() => [.. Directory.EnumerateDirectories(models).Select(path => Path.GetFileName(path)).Where(name => VersionName().IsMatch(name)).Order(StringComparer.Ordinal).Select(name => new ModelVersion(name))];

    private string[] RefusalFiles() => [.. Directory.EnumerateFiles(refusals, "*.json").Where(file => RefusalName().IsMatch(Path.GetFileName(file))).Order(StringComparer.Ordinal)];

    private ModelManifest ReadManifest(ModelVersion version)
    {
        string file = Path.Combine(VersionFolder(version), "manifest.json");
        var manifest = ModelJson.Read(file, ManifestJson.Read);
        return manifest.Version == version ? manifest : throw new InvalidDataException($"{file} describes version {manifest.Version}; expected {version}, the name of its folder.");
    }

    /// <summary>What a process left that died while it published; nobody publishes while the lock is ours.</summary>
    private void RemoveLeftovers()
    {
        using var publishing = FileLock.Exclusive(PublishLock);
        foreach (string leftover in Directory.GetDirectories(models, ".new-*")) Directory.Delete(leftover, recursive: true);
        foreach (string leftover in Directory.GetFiles(refusals, ".new-*")) File.Delete(leftover);
    }

    [GeneratedRegex(@"\A[0-9]{6}-[0-9a-f]{8}\z")]
    private static partial Regex VersionName();

    [GeneratedRegex(@"\A[0-9]{6}\.json\z")]
    private static partial Regex RefusalName();

    [GeneratedRegex(@"\A[0-9a-f]{64}\z")]
    private static partial Regex FingerprintText();
}
