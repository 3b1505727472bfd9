using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>
/// The model store on a folder: <c>models/&lt;version&gt;/{encoder/, manifest.json, erasures.json}</c>, the file <c>live</c>, <c>refusals/</c>, <c>retired/</c> (manifests of removed versions), <c>leases/</c>, the file <c>fence</c>
/// (token of the newest holder that writes here). Any number of threads and processes may use it at once, on several machines where the file system's locks hold between them.
/// </summary>
public sealed partial class FolderModelStore : IModelStore
{
    private const string FormatFile = "model-store.format";
    private const string Format = "beeformer model store, format 1";
    /// <summary>In the folder of a version that was published to go live: the version whose place it takes. There only until it has.</summary>
    private const string PromiseFile = "live-after";
    /// <summary>Refusals and manifests of removed versions that are kept, each.</summary>
    internal const int MostRecords = 2_000;
    private readonly string folder;
    private readonly string models;
    private readonly string refusals;
    private readonly string retired;
    private readonly string leases;
    private readonly TimeProvider time;
    private readonly HeldLease? holder;

    /// <exception cref="InvalidDataException">The folder was made by another format version.</exception>
    public FolderModelStore(string folder, TimeProvider time)
    {
        this.folder = Path.GetFullPath(folder);
        this.time = time;
        models = Path.Combine(this.folder, "models");
        refusals = Path.Combine(this.folder, "refusals");
        retired = Path.Combine(this.folder, "retired");
        leases = Path.Combine(this.folder, "leases");
        StoreFormat.Claim(this.folder, FormatFile, Format, "models");
        foreach (string part in (string[])[models, refusals, retired, leases]) DurableFiles.CreateFolder(part);
        using var publishing = FileLock.Exclusive(PublishLock);
        RemoveLeftovers();
        KeepPromises();
    }

    private FolderModelStore(FolderModelStore store, HeldLease holder) =>
        (folder, models, refusals, retired, leases, time, this.holder) = (store.folder, store.models, store.refusals, store.retired, store.leases, store.time, holder);

    public IModelStore Under(HeldLease lease)
    {
        // What an earlier holder has begun ends first; what it begins from now on is refused.
        using var publishing = FileLock.Exclusive(PublishLock);
        using var moving = FileLock.Exclusive(LiveLock);
        long fence = ReadFence();
        if (fence > lease.Token) throw Lost(lease);
        if (fence < lease.Token) DurableFiles.Rewrite(FenceFile, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{lease.Token}\n")));
        return new FolderModelStore(this, lease);
    }

    /// <summary>One of the locks is ours, so nobody takes over before what follows is done.</summary>
    private void CheckHolder()
    {
        if (holder is not null && (holder.Lost.IsCancellationRequested || ReadFence() > holder.Token)) throw Lost(holder);
    }

    private LeaseLostException Lost(HeldLease lease)
    {
        lease.Lose();
        return new LeaseLostException($"The lease {lease.Name} was lost: another holder may write to {folder} by now. Nothing was changed.");
    }

    private long ReadFence() => !File.Exists(FenceFile) ? 0
        : long.TryParse(File.ReadAllText(FenceFile).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long token) ? token
        : throw new InvalidDataException($"{FenceFile} holds no number; remove it while no trainer runs.");

    public ModelVersion? Live => ReadPointer().Live;

    public ModelVersion? Previous => ReadPointer().Previous;

    public IReadOnlyList<ModelManifest> List() => [.. Versions().Select(version => Read(version, out _)).OfType<ModelManifest>()];

    public IReadOnlyList<DamagedModel> Damaged()
    {
        var damaged = new List<DamagedModel>();
        foreach (ModelVersion version in Versions())
        {
            ModelManifest? manifest = Read(version, out string? problem);
            if (manifest?.Files is { } files) problem = FilesProblem(version, files, ModelFiles.Missing);
            if (problem is not null && Exists(version)) damaged.Add(new DamagedModel(version, problem));
        }
        return damaged;
    }

    public IReadOnlyList<ModelManifest> Retired() =>
        [.. Records(retired).Where(file => !Exists(new ModelVersion(Path.GetFileNameWithoutExtension(file)))).Select(file => TryRead(file, ManifestJson.Read)).OfType<ModelManifest>()];

    public ModelManifest? Find(ModelVersion version) => Exists(version) ? ReadManifest(version) : null;

    public string? Problem(ModelVersion version)
    {
        if (!Exists(version)) return $"There is no model version {version} in {models}.";
        if (Read(version, out string? problem) is not { } manifest) return problem;
        if (manifest.Files is { } files) return FilesProblem(version, files, ModelFiles.Changed);
        return Directory.Exists(EncoderFolder(version)) ? null : $"{EncoderFolder(version)} is missing.";
    }

    public string EncoderFolder(ModelVersion version) => Path.Combine(VersionFolder(version), "encoder");

    public ModelManifest Publish(ModelDraft draft, Action<string> writeEncoder)
    {
        using NewModel filled = Fill(draft, writeEncoder);
        using var publishing = FileLock.Exclusive(PublishLock);
        CheckHolder();
        return Add(filled, promise: null);
    }

    public (ModelManifest Manifest, bool Live) PublishLive(ModelDraft draft, ModelVersion expected, Action<string> writeEncoder)
    {
        using NewModel filled = Fill(draft, writeEncoder);
        using var publishing = FileLock.Exclusive(PublishLock);
        CheckHolder();
        ModelManifest manifest = Add(filled, promise: expected.Value);
        try
        {
            return (manifest, KeepPromise(manifest.Version));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            if (Live == manifest.Version) return (manifest, true); // moved; should a crash undo that, the promise is still there
            Remove(manifest.Version);
            throw;
        }
    }

    private NewModel Fill(ModelDraft draft, Action<string> writeEncoder)
    {
        if (!ModelNames.IsFingerprint(draft.Fingerprint.Value)) throw new ArgumentException($"Fingerprint \"{draft.Fingerprint}\" is not a SHA-256 in lower-case hexadecimal.", nameof(draft));
        if (draft.Dimension <= 0) throw new ArgumentException($"Dimension is {draft.Dimension}; expected 1 or more.", nameof(draft));
        return Fill(encoder =>
        {
            writeEncoder(encoder);
            return (draft, null);
        });
    }

    /// <summary>Fills a folder under a name that nobody reads. That takes its time, so no lock is held that others wait for.</summary>
    private NewModel Fill(Func<string, (ModelDraft, ModelOrigin?)> fill)
    {
        var filling = new NewModel(models, leases);
        try
        {
            DurableFiles.CreateFolder(filling.Encoder);
            (filling.Draft, filling.Origin) = fill(filling.Encoder);
            filling.Files = ModelFiles.Of(filling.Encoder);
            if (filling.Files.Count == 0) throw new InvalidOperationException("Nothing was written to the new model's folder.");
            LinkedFiles.FlushTree(filling.Folder);
            return filling;
        }
        catch
        {
            filling.Dispose();
            throw;
        }
    }

    /// <summary>Gives a filled folder the name of the next version in one step. The publish lock is ours.</summary>
    private ModelManifest Add(NewModel filled, string? promise)
    {
        var versions = Versions();
        if (versions.Count > 0 && Directory.Exists(EncoderFolder(versions[^1]))) LinkedFiles.ShareEqual(EncoderFolder(versions[^1]), filled.Encoder);
        var manifest = new ModelManifest(ModelVersion.Of(NextNumber(versions), filled.Draft!.Fingerprint), time.GetUtcNow(), filled.Draft, filled.Files, filled.Origin);
        DurableFiles.Write(Path.Combine(filled.Folder, "manifest.json"), ManifestJson.Write(manifest));
        if (promise is not null) DurableFiles.Write(Path.Combine(filled.Folder, PromiseFile), Encoding.UTF8.GetBytes(promise));
        LinkedFiles.FlushTree(filled.Folder);
        DurableFiles.MoveFolder(filled.Folder, VersionFolder(manifest.Version));
        return manifest;
    }

    /// <summary>A model on its way into the store: removed if it never got there.</summary>
    private sealed class NewModel : IDisposable
    {
        /// <summary>While it is held, nobody takes the folder for a leftover.</summary>
        private readonly IDisposable inUse;
        private readonly string inUseFile;

        public NewModel(string models, string leases)
        {
            string name = $".new-{Guid.NewGuid():N}";
            Folder = Path.Combine(models, name);
            inUse = FileLock.Exclusive(inUseFile = Path.Combine(leases, name));
        }

        public string Folder { get; }
        public string Encoder => Path.Combine(Folder, "encoder");
        public ModelDraft? Draft { get; set; }
        public ModelOrigin? Origin { get; set; }
        public IReadOnlyList<ModelFile> Files { get; set; } = [];

        public void Dispose()
        {
            try
            {
                if (Directory.Exists(Folder)) DurableFiles.DeleteFolder(Folder);
                DurableFiles.DeleteFile(inUseFile);
            }
            finally
            {
                inUse.Dispose();
            }
        }
    }

    /// <summary>Numbers are never used twice: a lease, a collection or a parent must not come to mean another model.</summary>
    private int NextNumber(List<ModelVersion> versions)
    {
        string?[] last = [versions.Count > 0 ? versions[^1].Value : null, Records(retired) is { Length: > 0 } records ? Path.GetFileName(records[^1]) : null];
        return 1 + last.Max(name => name is null ? 0 : int.Parse(name.AsSpan(0, 6), CultureInfo.InvariantCulture));
    }

    public bool TryMoveLive(ModelVersion? expected, ModelVersion next)
    {
        using var moving = FileLock.Exclusive(LiveLock);
        CheckHolder();
        if (!Exists(next)) throw new ArgumentException($"There is no model version {next} in {models}.", nameof(next));
        if (Live != expected) return false;
        if (next == expected) return true;
        DurableFiles.Rewrite(LiveFile, Encoding.UTF8.GetBytes(expected is { } before ? $"{next}\n{before}\n" : $"{next}\n"));
        if (expected is { } left) ForgetPromise(left);
        return true;
    }

    /// <summary>First line: the live version. Second line, if any: the one before it.</summary>
    private (ModelVersion? Live, ModelVersion? Previous) ReadPointer()
    {
        if (!File.Exists(LiveFile)) return (null, null);
        string[] lines = File.ReadAllText(LiveFile).Trim().Split('\n');
        return lines.Length <= 2 && lines.All(ModelNames.IsVersion)
            ? (new ModelVersion(lines[0]), lines.Length == 2 ? new ModelVersion(lines[1]) : null)
            : throw new InvalidDataException($"{LiveFile} does not name a model version; expected a line such as 000012-9f3ab07c. Remove the file, then activate a version.");
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
        DurableFiles.DeleteFile(promise);
        DurableFiles.FlushFolder(VersionFolder(version));
    }

    /// <summary>A process that died between publishing and moving <c>live</c> left a model that had passed: it goes live now, unless another took that place.</summary>
    private void KeepPromises()
    {
        foreach (ModelVersion version in Versions().Where(Promised)) KeepPromise(version);
    }

    private bool Promised(ModelVersion version) => File.Exists(Path.Combine(VersionFolder(version), PromiseFile));

    public IDisposable Lease(ModelVersion version)
    {
        if (Exists(version))
        {
            IDisposable lease = FileLock.Shared(LeaseFile(version));
            if (Exists(version)) return lease;
            lease.Dispose();
        }
        throw new InvalidDataException($"There is no model version {version} in {models}.");
    }

    public IReadOnlyList<ModelVersion> Retain(int newest)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(newest, 1);
        using var publishing = FileLock.Exclusive(PublishLock);
        using var moving = FileLock.Exclusive(LiveLock);
        CheckHolder();
        (ModelVersion? live, ModelVersion? previous) = ReadPointer();
        ModelVersion? untrained = List().FirstOrDefault(manifest => manifest.IsUntrained)?.Version;
        ModelVersion[] old = [.. Versions().SkipLast(newest).Where(version => version != live && version != previous && version != untrained && !Promised(version))];
        ModelVersion[] removed = [.. old.Where(TryRetire)];
        RemoveOldest(retired);
        return removed;
    }

    /// <returns>False: somebody uses it.</returns>
    private bool TryRetire(ModelVersion version)
    {
        using IDisposable? unused = FileLock.TryExclusive(LeaseFile(version));
        if (unused is null) return false;
        // Of a damaged version there is nothing to remember.
        if (Read(version, out _) is { } manifest) DurableFiles.Rewrite(Path.Combine(retired, version.Value + ".json"), ManifestJson.Write(manifest));
        Remove(version);
        DurableFiles.DeleteFile(LeaseFile(version));
        return true;
    }

    /// <summary>Takes the name away in one step, then the files.</summary>
    private void Remove(ModelVersion version)
    {
        string gone = Path.Combine(models, $".old-{Guid.NewGuid():N}");
        DurableFiles.MoveFolder(VersionFolder(version), gone);
        DurableFiles.DeleteFolder(gone);
    }

    public void Export(ModelVersion version, Stream archive)
    {
        using IDisposable lease = Lease(version);
        if (Problem(version) is { } problem) throw new InvalidDataException($"Model {version} is damaged and was not exported: {problem}");
        ModelManifest manifest = ReadManifest(version);
        ModelArchive.Write(archive, manifest with { Files = manifest.Files ?? ModelFiles.Of(EncoderFolder(version)) }, EncoderFolder(version));
    }

    public (ModelManifest Manifest, bool Added) Import(Stream archive, string name, long mostBytes, Action<ModelManifest, string> check)
    {
        using NewModel filled = Fill(encoder =>
        {
            ModelManifest manifest = ModelArchive.Read(archive, name, encoder, mostBytes);
            check(manifest, encoder);
            return (manifest.Model with { Parent = null }, new ModelOrigin(manifest.Version, manifest.PublishedAt, manifest.Model.Parent));
        });
        using var publishing = FileLock.Exclusive(PublishLock);
        CheckHolder();
        return List().FirstOrDefault(here => here.Model.Fingerprint == filled.Draft!.Fingerprint && Problem(here.Version) is null) is { } known ? (known, false) : (Add(filled, promise: null), true);
    }

    public IReadOnlyList<ErasureMark> Erasures(ModelVersion version) => Exists(version) ? TryRead(ErasuresFile(version), ErasureMarkJson.Read) ?? [] : [];

    public void MarkErasures(ModelVersion version, IReadOnlyList<ErasureMark> marks)
    {
        using var publishing = FileLock.Exclusive(PublishLock); // or a version that is being removed would get its folder back
        CheckHolder();
        if (Exists(version)) DurableFiles.Rewrite(ErasuresFile(version), ErasureMarkJson.Write(marks));
    }

    public void RecordRefusal(Refusal refusal)
    {
        byte[] json = RefusalJson.Write(refusal);
        using var publishing = FileLock.Exclusive(PublishLock);
        CheckHolder();
        string[] files = Records(refusals);
        int number = files.Length == 0 ? 1 : int.Parse(Path.GetFileNameWithoutExtension(files[^1]), CultureInfo.InvariantCulture) + 1;
        string temporary = Path.Combine(refusals, $".new-{Guid.NewGuid():N}");
        DurableFiles.Write(temporary, json);
        DurableFiles.TryPublish(temporary, Path.Combine(refusals, $"{number:D6}.json"));
        RemoveOldest(refusals);
    }

    public IReadOnlyList<Refusal> Refusals() => [.. Records(refusals).Select(file => TryRead(file, RefusalJson.Read)).OfType<Refusal>()];

    /// <returns>Null when it is damaged or was removed just now: one record of history must not hide the others.</returns>
    private static T? TryRead<T>(string file, Func<JsonObject, T> read) where T : class
    {
        try
        {
            return ModelJson.Read(file, read);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private string LiveFile => Path.Combine(folder, "live");
    private string FenceFile => Path.Combine(folder, "fence");
    private string LiveLock => Path.Combine(folder, ".live.lock");
    private string PublishLock => Path.Combine(folder, ".publish.lock");

    private string LeaseFile(ModelVersion version) => Path.Combine(leases, version.Value);

    private string ErasuresFile(ModelVersion version) => Path.Combine(VersionFolder(version), "erasures.json");

    private string VersionFolder(ModelVersion version) => ModelNames.IsVersion(version.Value) ? Path.Combine(models, version.Value)
        : throw new ArgumentException($"\"{version}\" is not a model version; expected a name such as 000012-9f3ab07c.", nameof(version));

    private bool Exists(ModelVersion version) => ModelNames.IsVersion(version.Value) && Directory.Exists(VersionFolder(version));

    private List<ModelVersion> Versions() => [.. Directory.EnumerateDirectories(models).Select(path => Path.GetFileName(path)).Where(ModelNames.IsVersion).Order(StringComparer.Ordinal).Select(name => new ModelVersion(name))];

    /// <summary>Files named <c>000012.json</c> or <c>000012-9f3ab07c.json</c>, oldest first.</summary>
    private static string[] Records(string folder) => [.. Directory.EnumerateFiles(folder, "*.json").Where(file => RecordName().IsMatch(Path.GetFileName(file))).Order(StringComparer.Ordinal)];

    private static void RemoveOldest(string folder)
    {
        foreach (string file in Records(folder).SkipLast(MostRecords)) DurableFiles.DeleteFile(file);
    }

    private ModelManifest ReadManifest(ModelVersion version)
    {
        string file = Path.Combine(VersionFolder(version), "manifest.json");
        var manifest = ModelJson.Read(file, ManifestJson.Read);
        return manifest.Version == version ? manifest : throw new InvalidDataException($"{file} describes version {manifest.Version}; expected {version}, the name of its folder.");
    }

    /// <returns>Null when the manifest is damaged, or the version has just been removed.</returns>
    private ModelManifest? Read(ModelVersion version, out string? problem)
    {
        problem = null;
        try
        {
            return ReadManifest(version);
        }
        catch (Exception damage) when (damage is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            problem = damage.Message;
            return null;
        }
    }

    private string? FilesProblem(ModelVersion version, IReadOnlyList<ModelFile> files, Func<string, IReadOnlyList<ModelFile>, string?> compare)
    {
        try
        {
            return compare(EncoderFolder(version), files);
        }
        catch (Exception damage) when (damage is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return damage.Message;
        }
    }

    /// <summary>What a process left that died while it published or removed; nobody else removes while the lock is ours.</summary>
    private void RemoveLeftovers()
    {
        foreach (string leftover in Directory.GetDirectories(models, ".new-*"))
        {
            using IDisposable? unused = FileLock.TryExclusive(Path.Combine(leases, Path.GetFileName(leftover)));
            if (unused is null || !Directory.Exists(leftover)) continue;
            DurableFiles.DeleteFolder(leftover);
            DurableFiles.DeleteFile(Path.Combine(leases, Path.GetFileName(leftover)));
        }
        foreach (string leftover in Directory.GetDirectories(models, ".old-*")) DurableFiles.DeleteFolder(leftover);
        foreach (string leftover in Directory.GetFiles(refusals, ".new-*")) DurableFiles.DeleteFile(leftover);
    }

    [GeneratedRegex(@"\A[0-9]{6}(-[0-9a-f]{8})?\.json\z")]
    private static partial Regex RecordName();
}
