using System.Globalization;
using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>
/// The model store on a folder: <c>models/&lt;version&gt;/{encoder/, manifest.json, erasures.json}</c>, the file <c>live</c>, <c>refusals/</c>, <c>retired/</c> (manifests of removed versions), <c>leases/</c>, the file <c>fence</c>
/// (token of the newest holder that writes here). Any number of threads and processes may use it at once, on several machines where the file system's locks hold between them.
/// </summary>
public sealed class FolderModelStore : IModelStore
{
    private const string FormatFile = "model-store.format";
    private const string Format = "beeformer model store, format 1";
    /// <summary>In the folder of a version that was published to go live: the version whose place it takes. There only until it has.</summary>
    private const string PromiseFile = "live-after";
    private readonly string folder;
    private readonly string leases;
    private readonly VersionFolders versions;
    private readonly FolderRecords<Refusal> refusals;
    private readonly FolderRecords<ModelManifest> retired;
    private readonly TimeProvider time;
    private readonly HeldLease? holder;

    /// <exception cref="InvalidDataException">The folder was made by another format version.</exception>
    public FolderModelStore(string folder, TimeProvider time)
    {
        this.folder = Path.GetFullPath(folder);
        this.time = time;
        StoreFormat.Claim(this.folder, FormatFile, Format, "models");
        string Part(string name)
        {
            string part = Path.Combine(this.folder, name);
            DurableFiles.CreateFolder(part);
            return part;
        }
        (versions, leases) = (new VersionFolders(Part("models")), Part("leases"));
        (refusals, retired) = (new FolderRecords<Refusal>(Part("refusals"), RefusalJson.Read), new FolderRecords<ModelManifest>(Part("retired"), ManifestJson.Read));
        using var publishing = FileLock.Exclusive(PublishLock);
        NewModel.RemoveLeftovers(versions.Folder, leases);
        versions.RemoveLeftovers();
        refusals.RemoveLeftovers();
        KeepPromises();
    }

    private FolderModelStore(FolderModelStore store, HeldLease holder) =>
        (folder, leases, versions, refusals, retired, time, this.holder) = (store.folder, store.leases, store.versions, store.refusals, store.retired, store.time, holder);

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

    public IReadOnlyList<ModelManifest> List() => [.. versions.All().Select(version => versions.TryManifest(version, out _)).OfType<ModelManifest>()];

    public IReadOnlyList<DamagedModel> Damaged()
    {
        var damaged = new List<DamagedModel>();
        foreach (ModelVersion version in versions.All())
        {
            ModelManifest? manifest = versions.TryManifest(version, out string? problem);
            if (manifest?.Files is { } files) problem = versions.FilesProblem(version, files, ModelFiles.Missing);
            if (problem is not null && versions.Exist(version)) damaged.Add(new DamagedModel(version, problem));
        }
        return damaged;
    }

    public IReadOnlyList<ModelManifest> Retired() => retired.All(name => !versions.Exist(new ModelVersion(name)));

    public ModelManifest? Find(ModelVersion version) => versions.Exist(version) ? versions.Manifest(version) : null;

    public string? Problem(ModelVersion version)
    {
        if (!versions.Exist(version)) return versions.NoSuch(version);
        if (versions.TryManifest(version, out string? problem) is not { } manifest) return problem;
        if (manifest.Files is { } files) return versions.FilesProblem(version, files, ModelFiles.Changed);
        return Directory.Exists(EncoderFolder(version)) ? null : $"{EncoderFolder(version)} is missing.";
    }

    public string EncoderFolder(ModelVersion version) => versions.EncoderOf(version);

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
            versions.Remove(manifest.Version);
            throw;
        }
    }

    private NewModel Fill(ModelDraft draft, Action<string> writeEncoder)
    {
        if (!ModelNames.IsFingerprint(draft.Fingerprint.Value)) throw new ArgumentException($"Fingerprint \"{draft.Fingerprint}\" is not a SHA-256 in lower-case hexadecimal.", nameof(draft));
        if (draft.Dimension <= 0) throw new ArgumentException($"Dimension is {draft.Dimension}; expected 1 or more.", nameof(draft));
        return NewModel.Fill(versions.Folder, leases, encoder =>
        {
            writeEncoder(encoder);
            return (draft, null);
        });
    }

    /// <summary>Gives a filled folder the name of the next version in one step. The publish lock is ours.</summary>
    private ModelManifest Add(NewModel filled, string? promise)
    {
        ModelVersion? last = versions.All() is { Count: > 0 } all ? all[^1] : null;
        if (last is { } before && Directory.Exists(EncoderFolder(before))) LinkedFiles.ShareEqual(EncoderFolder(before), filled.Encoder);
        // Numbers are never used twice: a lease, a collection or a parent must not come to mean another model.
        int number = 1 + Math.Max(last is null ? 0 : int.Parse(last.Value.Value.AsSpan(0, 6), CultureInfo.InvariantCulture), retired.LastNumber);
        var manifest = new ModelManifest(ModelVersion.Of(number, filled.Draft!.Fingerprint), time.GetUtcNow(), filled.Draft, filled.Files, filled.Origin);
        DurableFiles.Write(Path.Combine(filled.Folder, "manifest.json"), ManifestJson.Write(manifest));
        if (promise is not null) DurableFiles.Write(Path.Combine(filled.Folder, PromiseFile), Encoding.UTF8.GetBytes(promise));
        LinkedFiles.FlushTree(filled.Folder);
        DurableFiles.MoveFolder(filled.Folder, versions.Of(manifest.Version));
        return manifest;
    }

    public bool TryMoveLive(ModelVersion? expected, ModelVersion next)
    {
        using var moving = FileLock.Exclusive(LiveLock);
        CheckHolder();
        if (!versions.Exist(next)) throw new ArgumentException(versions.NoSuch(next), nameof(next));
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
        bool moved = TryMoveLive(new ModelVersion(File.ReadAllText(Path.Combine(versions.Of(version), PromiseFile))), version);
        ForgetPromise(version);
        return moved;
    }

    private void ForgetPromise(ModelVersion version)
    {
        string promise = Path.Combine(versions.Of(version), PromiseFile);
        if (!File.Exists(promise)) return;
        DurableFiles.DeleteFile(promise);
        DurableFiles.FlushFolder(versions.Of(version));
    }

    /// <summary>A process that died between publishing and moving <c>live</c> left a model that had passed: it goes live now, unless another took that place.</summary>
    private void KeepPromises()
    {
        foreach (ModelVersion version in versions.All().Where(Promised)) KeepPromise(version);
    }

    private bool Promised(ModelVersion version) => File.Exists(Path.Combine(versions.Of(version), PromiseFile));

    public ModelInUse Use(ModelVersion version)
    {
        IDisposable lease = Lease(version);
        try
        {
            return new ModelInUse(versions.Manifest(version), EncoderFolder(version), lease);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    public IDisposable Lease(ModelVersion version)
    {
        if (versions.Exist(version))
        {
            IDisposable lease = FileLock.Shared(LeaseFile(version));
            if (versions.Exist(version)) return lease;
            lease.Dispose();
        }
        throw new InvalidDataException(versions.NoSuch(version));
    }

    public IReadOnlyList<ModelVersion> Retain(int newest)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(newest, 1);
        using var publishing = FileLock.Exclusive(PublishLock);
        using var moving = FileLock.Exclusive(LiveLock);
        CheckHolder();
        (ModelVersion? live, ModelVersion? previous) = ReadPointer();
        ModelVersion? untrained = List().FirstOrDefault(manifest => manifest.IsUntrained)?.Version;
        ModelVersion[] old = [.. versions.All().SkipLast(newest).Where(version => version != live && version != previous && version != untrained && !Promised(version))];
        ModelVersion[] removed = [.. old.Where(TryRetire)];
        retired.RemoveOldest();
        return removed;
    }

    /// <returns>False: somebody uses it.</returns>
    private bool TryRetire(ModelVersion version)
    {
        using IDisposable? unused = FileLock.TryExclusive(LeaseFile(version));
        if (unused is null) return false;
        // Of a damaged version there is nothing to remember.
        if (versions.TryManifest(version, out _) is { } manifest) retired.Write(version.Value, ManifestJson.Write(manifest));
        versions.Remove(version);
        DurableFiles.DeleteFile(LeaseFile(version));
        return true;
    }

    public void Export(ModelVersion version, Stream archive)
    {
        using IDisposable lease = Lease(version);
        if (Problem(version) is { } problem) throw new InvalidDataException($"Model {version} is damaged and was not exported: {problem}");
        ModelManifest manifest = versions.Manifest(version);
        ModelArchive.Write(archive, manifest with { Files = manifest.Files ?? ModelFiles.Of(EncoderFolder(version)) }, EncoderFolder(version));
    }

    public (ModelManifest Manifest, bool Added) Import(Stream archive, string name, long mostBytes, Action<ModelManifest, string> check)
    {
        using NewModel filled = NewModel.Fill(versions.Folder, leases, encoder =>
        {
            ModelManifest manifest = ModelArchive.Read(archive, name, encoder, mostBytes);
            check(manifest, encoder);
            return (manifest.Model with { Parent = null }, new ModelOrigin(manifest.Version, manifest.PublishedAt, manifest.Model.Parent));
        });
        using var publishing = FileLock.Exclusive(PublishLock);
        CheckHolder();
        return List().FirstOrDefault(here => here.Model.Fingerprint == filled.Draft!.Fingerprint && Problem(here.Version) is null) is { } known ? (known, false) : (Add(filled, promise: null), true);
    }

    public IReadOnlyList<ErasureMark> Erasures(ModelVersion version) => versions.Exist(version) ? FolderRecords<IReadOnlyList<ErasureMark>>.TryRead(versions.ErasuresOf(version), ErasureMarkJson.Read) ?? [] : [];

    public void MarkErasures(ModelVersion version, IReadOnlyList<ErasureMark> marks)
    {
        using var publishing = FileLock.Exclusive(PublishLock); // or a version that is being removed would get its folder back
        CheckHolder();
        if (versions.Exist(version)) DurableFiles.Rewrite(versions.ErasuresOf(version), ErasureMarkJson.Write(marks));
    }

    public void RecordRefusal(Refusal refusal)
    {
        byte[] json = RefusalJson.Write(refusal);
        using var publishing = FileLock.Exclusive(PublishLock);
        CheckHolder();
        refusals.Add(json);
        refusals.RemoveOldest();
    }

    public IReadOnlyList<Refusal> Refusals() => refusals.All();

    private string LiveFile => Path.Combine(folder, "live");
    private string FenceFile => Path.Combine(folder, "fence");
    private string LiveLock => Path.Combine(folder, ".live.lock");
    private string PublishLock => Path.Combine(folder, ".publish.lock");

    private string LeaseFile(ModelVersion version) => Path.Combine(leases, version.Value);
}
