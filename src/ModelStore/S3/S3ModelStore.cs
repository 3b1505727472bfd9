using System.Globalization;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>
/// The model store on S3: <c>root.json</c> says which versions there are and which is live; <c>models/&lt;place&gt;/{encoder/…, manifest.json, erasures.json}</c>, <c>refusals/</c>, <c>retired/</c>, <c>uses/</c>. Copies of the
/// models lie on this machine. Any number of threads, processes and machines may use it at once.
/// </summary>
internal sealed class S3ModelStore : IModelStore
{
    private const string FormatRecord = "model-store.format", Format = "beeformer model store on S3, format 1";
    private const int GoneKept = 200;

    /// <summary>How long the place is waited for where it can be done without.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly S3Objects objects;
    private readonly TimeProvider time;
    private readonly ObjectAges ages;
    private readonly S3Root root;
    private readonly VersionUses uses;
    private readonly ModelCopies copies;
    private readonly VersionManifests manifests;
    private readonly S3Records<Refusal> refusals;
    private readonly S3Records<ModelManifest> retired;
    private readonly S3Records<IReadOnlyList<ErasureMark>> erasures;
    private readonly HeldLease? holder;

    /// <param name="folder">Copies lie in its <c>s3-cache</c>.</param>
    /// <param name="mayBeAway">A place that does not answer is looked at when it is asked for something; else it has to answer now.</param>
    /// <exception cref="InvalidDataException">The place was made by another format version.</exception>
    /// <exception cref="IOException">It cannot be reached; the message says why.</exception>
    public S3ModelStore(S3Place place, string folder, TimeProvider time, ObjectAges? ages = null, bool mayBeAway = false)
    {
        (objects, this.time, this.ages) = (place.Records, time, ages ?? new ObjectAges());
        root = new S3Root(objects, () => S3Format.Claim(objects, FormatRecord, Format, "models", "retired"));
        (uses, manifests) = (new VersionUses(objects, time, this.ages.Ended), new VersionManifests(objects));
        (refusals, retired, erasures) = (new S3Records<Refusal>(objects, RefusalJson.Read), new S3Records<ModelManifest>(objects, ManifestJson.Read), new S3Records<IReadOnlyList<ErasureMark>>(objects, ErasureMarkJson.Read));
        copies = new ModelCopies(Path.Combine(Path.GetFullPath(folder), "s3-cache"));
        if (mayBeAway) Answer(Task.Run(root.Read));
        else root.Read();
    }

    /// <returns>Null: there was none in time, or a failure that may pass.</returns>
    private T? Answer<T>(Task<T> asked) where T : class
    {
        try
        {
            return asked.WaitAsync(Patience, time).GetAwaiter().GetResult();
        }
        catch (Exception away) when (away is TimeoutException or IOException)
        {
            return null;
        }
    }

    private S3ModelStore(S3ModelStore store, HeldLease holder) =>
        (objects, time, ages, root, uses, copies, manifests, refusals, retired, erasures, this.holder) =
        (store.objects, store.time, store.ages, store.root, store.uses, store.copies, store.manifests, store.refusals, store.retired, store.erasures, holder);

    public IModelStore Under(HeldLease lease) => root.Change(now =>
        now.Fence > lease.Token ? throw Lost(lease) : (now.Fence == lease.Token ? now : now with { Fence = lease.Token }, new S3ModelStore(this, lease)));

    /// <summary>The root that is written next is the one that was looked at here, so nobody takes over in between.</summary>
    private void CheckHolder(Root now)
    {
        if (holder is not null && (holder.Lost.IsCancellationRequested || now.Fence > holder.Token)) throw Lost(holder);
    }

    private LeaseLostException Lost(HeldLease lease)
    {
        lease.Lose();
        return new LeaseLostException($"The lease {lease.Name} was lost: another holder may write to {objects.FullName("")} by now. Nothing was changed.");
    }

    public ModelVersion? Live => root.Read().Live;

    public ModelVersion? Previous => root.Read().Previous;

    public IReadOnlyList<ModelManifest> List() => manifests.ReadAll(root.Read().Versions);

    public IReadOnlyList<DamagedModel> Damaged()
    {
        IReadOnlyList<RootVersion> versions = root.Read().Versions;
        Dictionary<string, long> sizes = objects.List("models/").ToDictionary(entry => entry.Name, entry => entry.Size, StringComparer.Ordinal);
        var damaged = new List<DamagedModel>();
        foreach (RootVersion version in versions)
        {
            ModelManifest? manifest = manifests.TryRead(version, out string? problem);
            problem ??= manifest!.Files!.Select(file => (Name: VersionManifests.FileOf(version.Place, file.Path), file.Bytes))
                .Select(file => !sizes.TryGetValue(file.Name, out long found) ? $"{objects.FullName(file.Name)} is missing."
                    : found != file.Bytes ? $"{objects.FullName(file.Name)} has {found} bytes; {file.Bytes} were published." : null).FirstOrDefault(one => one is not null);
            if (problem is not null && root.Read().Find(version.Version) is not null) damaged.Add(new DamagedModel(version.Version, problem));
        }
        return damaged;
    }

    public IReadOnlyList<ModelManifest> Retired()
    {
        Root now = root.Read();
        return [.. retired.All("retired/").Select(one => one.Value).Where(manifest => now.Find(manifest.Version) is null)];
    }

    public ModelManifest? Find(ModelVersion version) => root.Read().Find(version) is { } found ? manifests.Read(found) : null;

    public string? Problem(ModelVersion version) => root.Read().Find(version) is { } found ? Problem(found) : NoSuch(version);

    private string? Problem(RootVersion version)
    {
        try
        {
            Copy(version, compare: true);
            // What is here was compared; what is there, in names and lengths.
            Dictionary<string, long> sizes = objects.List(VersionManifests.FolderOf(version.Place)).ToDictionary(entry => entry.Name, entry => entry.Size, StringComparer.Ordinal);
            return manifests.Read(version).Files!.Select(file => VersionManifests.FileOf(version.Place, file.Path)).FirstOrDefault(name => !sizes.ContainsKey(name)) is { } missing ? $"{objects.FullName(missing)} is missing." : null;
        }
        catch (Exception damage) when (damage is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return damage.Message;
        }
    }

    public string EncoderFolder(ModelVersion version)
    {
        if (!ModelNames.IsVersion(version.Value)) throw new ArgumentException($"\"{version}\" is not a model version; expected a name such as 000012-9f3ab07c.", nameof(version));
        return Copy(root.Read().Find(version) ?? throw new InvalidDataException(NoSuch(version)), compare: false);
    }

    private string Copy(RootVersion version, bool compare)
    {
        bool fetched = false;
        string folder = copies.Folder(version, manifests.Read(version), compare, (file, target) =>
        {
            fetched = true;
            string name = VersionManifests.FileOf(version.Place, file.Path);
            string digest = objects.Download(name, target, file.Bytes) ?? throw new InvalidDataException($"{objects.FullName(name)} is missing.");
            if (digest != file.Sha256) throw new InvalidDataException($"{objects.FullName(name)} has SHA-256 {digest}; {file.Sha256} was published.");
        });
        if (fetched) IgnoreFailure(() => copies.RemoveOthers(root.Read().Versions)); // or the next time
        return folder;
    }

    public ModelInUse Use(ModelVersion version)
    {
        ModelInUse Ask()
        {
            IDisposable lease = Lease(version);
            try
            {
                return new ModelInUse(manifests.Read(root.Read().Find(version)!), EncoderFolder(version), lease);
            }
            catch
            {
                lease.Dispose();
                throw;
            }
        }

        if (!ModelNames.IsVersion(version.Value) || copies.TryUse(version) is not { } here) return Ask();
        Task<ModelInUse> asked = Task.Run(Ask);
        try
        {
            if (Answer(asked) is not { } answered) return here with { Lease = new LaterLease(here.Lease, asked, Ask, time) };
            here.Dispose();
            return answered;
        }
        catch
        {
            here.Dispose();
            throw;
        }
    }

    public IDisposable Lease(ModelVersion version)
    {
        RootVersion found = root.Read().Find(version) ?? throw new InvalidDataException(NoSuch(version));
        var held = new Held(copies.Use(found.Place));
        try
        {
            held.Add(uses.Begin(found.Place));
            // Whoever retires versions marks them in the root, looks for uses, and then writes the root again: either it saw ours, or we see the mark, or the version is gone.
            root.Change(now => now.Find(version) is null ? throw new InvalidDataException(NoSuch(version))
                : (now.Leaving.Contains(found.Place) ? now with { Leaving = [.. now.Leaving.Where(place => place != found.Place)] } : now, true));
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private sealed class Held(IDisposable first) : IDisposable
    {
        private readonly Stack<IDisposable> parts = new([first]);
        public void Add(IDisposable part) => parts.Push(part);
        public void Dispose()
        {
            while (parts.TryPop(out IDisposable? part)) part.Dispose();
        }
    }

    public ModelManifest Publish(ModelDraft draft, Action<string> writeEncoder) => Publish(draft, writeEncoder, expected: null).Manifest;

    public (ModelManifest Manifest, bool Live) PublishLive(ModelDraft draft, ModelVersion expected, Action<string> writeEncoder) => Publish(draft, writeEncoder, expected);

    private (ModelManifest Manifest, bool Live) Publish(ModelDraft draft, Action<string> writeEncoder, ModelVersion? expected)
    {
        if (!ModelNames.IsFingerprint(draft.Fingerprint.Value)) throw new ArgumentException($"Fingerprint \"{draft.Fingerprint}\" is not a SHA-256 in lower-case hexadecimal.", nameof(draft));
        if (draft.Dimension <= 0) throw new ArgumentException($"Dimension is {draft.Dimension}; expected 1 or more.", nameof(draft));
        string place = Guid.NewGuid().ToString("N");
        using ModelCopies.NewCopy filled = copies.Begin(place);
        writeEncoder(filled.Encoder);
        return Add(filled, place, draft, origin: null, expected, known: _ => null);
    }

    /// <summary>Uploads what was filled to a place that nobody reads yet; then one change of the root makes it a version, and a live one.</summary>
    /// <param name="expected">Version whose place it takes as the live one; null: it does not go live.</param>
    /// <param name="known">A version that makes this one needless.</param>
    private (ModelManifest Manifest, bool Live) Add(ModelCopies.NewCopy filled, string place, ModelDraft draft, ModelOrigin? origin, ModelVersion? expected, Func<Root, ModelManifest?> known)
    {
        IReadOnlyList<ModelFile> files = ModelFiles.Of(filled.Encoder);
        if (files.Count == 0) throw new InvalidOperationException("Nothing was written to the new model's folder.");
        Root before = root.Read();
        CheckHolder(before);
        if (known(before) is { } here) return (here, false);
        Upload(filled.Encoder, files, place, before.Versions.Count > 0 ? before.Versions[^1] : null);
        (ModelManifest manifest, bool added, bool live) = root.Change(now =>
        {
            CheckHolder(now);
            if (known(now) is { } other) return (now, (other, false, false));
            if (now.Gone.Contains(place)) throw new IOException($"{objects.FullName($"models/{place}")} was uploaded so slowly that it was taken for abandoned; nothing was published.");
            var published = new ModelManifest(ModelVersion.Of(now.LastNumber + 1, draft.Fingerprint), time.GetUtcNow(), draft, files, origin);
            manifests.Write(place, published);
            Root next = now with { LastNumber = now.LastNumber + 1, Versions = [.. now.Versions, new RootVersion(published.Version, place)] };
            bool goesLive = expected is not null && now.Live == expected;
            return (goesLive ? next with { Live = published.Version, Previous = expected } : next, (published, true, goesLive));
        });
        if (!added) return (manifest, false);
        IgnoreFailure(() => copies.Keep(filled, new RootVersion(manifest.Version, place), manifest)); // or it is fetched when it is needed
        IgnoreFailure(RemoveLeftovers);
        return (manifest, live);
    }

    /// <summary>A file that the version before has as well is copied over there.</summary>
    private void Upload(string encoder, IReadOnlyList<ModelFile> files, string place, RootVersion? before)
    {
        ILookup<string, ModelFile> there = (before is null ? [] : manifests.TryRead(before, out _)?.Files ?? []).ToLookup(file => file.Sha256, StringComparer.Ordinal);
        S3Calls.AtOnce(files, file =>
        {
            string name = VersionManifests.FileOf(place, file.Path);
            if (there[file.Sha256].FirstOrDefault(other => other.Bytes == file.Bytes) is { } equal && objects.TryCopy(VersionManifests.FileOf(before!.Place, equal.Path), name, file.Bytes)) return true;
            objects.PutFile(name, Path.Combine(encoder, file.Path));
            return true;
        });
    }

    public bool TryMoveLive(ModelVersion? expected, ModelVersion next) => root.Change(now =>
    {
        CheckHolder(now);
        if (now.Find(next) is null) throw new ArgumentException(NoSuch(next), nameof(next));
        return now.Live != expected ? (now, false) : (next == expected ? now : now with { Live = next, Previous = expected }, true);
    });

    public IReadOnlyList<ModelVersion> Retain(int newest)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(newest, 1);
        bool marked = root.Change(now =>
        {
            CheckHolder(now);
            string[] old = [.. Old(now, newest).Select(version => version.Place)];
            return (old.Length == 0 && now.Leaving.Count == 0 ? now : now with { Leaving = old }, old.Length > 0);
        });
        RootVersion[] removed = !marked ? [] : root.Change(now =>
        {
            CheckHolder(now);
            HashSet<string> used = uses.InUse(); // looked for after the marks were seen
            RootVersion[] old = [.. Old(now, newest).Where(version => now.Leaving.Contains(version.Place) && !used.Contains(version.Place))];
            // Of a damaged version there is nothing to remember.
            S3Calls.AtOnce(old, version => { if (manifests.TryRead(version, out _) is { } manifest) objects.Put($"retired/{version.Version}.json", ManifestJson.Write(manifest)); return true; });
            return (now with { Versions = [.. now.Versions.Except(old)], Leaving = [], Gone = Later(now.Gone, old.Select(version => version.Place)) }, old);
        });
        IgnoreFailure(RemoveLeftovers); // or the next time
        if (removed.Length > 0) IgnoreFailure(() => RemoveOldest("retired/"));
        return [.. removed.Select(version => version.Version)];
    }

    private IEnumerable<RootVersion> Old(Root now, int newest)
    {
        ModelVersion? untrained = manifests.ReadAll(now.Versions).FirstOrDefault(manifest => manifest.IsUntrained)?.Version;
        return now.Versions.SkipLast(newest).Where(version => version.Version != now.Live && version.Version != now.Previous && version.Version != untrained);
    }

    /// <summary>Deletes the objects of versions that were removed, and what publications left that died, once they are old enough by the server's clock. A place is named in the root first, so that nothing there becomes a version meanwhile.</summary>
    private void RemoveLeftovers()
    {
        Root now = root.Read();
        var others = objects.List("models/").GroupBy(entry => entry.Name.Split('/')[1]).Where(place => now.Versions.All(version => version.Place != place.Key)).ToList();
        if (others.Any(place => !now.Gone.Contains(place.Key)) && VersionUses.ServerNow(objects) is var clock)
        {
            string[] abandoned = [.. others.Where(place => place.All(entry => clock - entry.Modified > ages.Abandoned)).Select(place => place.Key)];
            now = root.Change(current =>
            {
                CheckHolder(current);
                string[] dead = [.. abandoned.Where(place => !current.Gone.Contains(place) && current.Versions.All(version => version.Place != place))];
                Root next = dead.Length == 0 ? current : current with { Gone = Later(current.Gone, dead) };
                return (next, next);
            });
        }
        S3Calls.AtOnce(others.Where(place => now.Gone.Contains(place.Key)).SelectMany(place => place), entry => { objects.Delete(entry.Name); return true; });
        copies.RemoveOthers(now.Versions);
    }

    private static string[] Later(IReadOnlyList<string> gone, IEnumerable<string> places) => [.. gone.Concat(places).TakeLast(GoneKept)];

    public void Export(ModelVersion version, Stream archive)
    {
        using IDisposable lease = Lease(version);
        if (Problem(version) is { } problem) throw new InvalidDataException($"Model {version} is damaged and was not exported: {problem}");
        ModelArchive.Write(archive, Find(version)!, EncoderFolder(version));
    }

    public (ModelManifest Manifest, bool Added) Import(Stream archive, string name, long mostBytes, Action<ModelManifest, string> check)
    {
        string place = Guid.NewGuid().ToString("N");
        using ModelCopies.NewCopy filled = copies.Begin(place);
        ModelManifest read = ModelArchive.Read(archive, name, filled.Encoder, mostBytes);
        check(read, filled.Encoder);
        bool added = true;
        (ModelManifest manifest, _) = Add(filled, place, read.Model with { Parent = null }, new ModelOrigin(read.Version, read.PublishedAt, read.Model.Parent), expected: null, now =>
        {
            ModelManifest? known = manifests.ReadAll(now.Versions).FirstOrDefault(here => here.Model.Fingerprint == read.Model.Fingerprint && Problem(here.Version) is null);
            added = known is null;
            return known;
        });
        return (manifest, added);
    }

    public IReadOnlyList<ErasureMark> Erasures(ModelVersion version) => root.Read().Find(version) is { } found ? erasures.Find(VersionManifests.ErasuresOf(found.Place))?.Value ?? [] : [];

    public void MarkErasures(ModelVersion version, IReadOnlyList<ErasureMark> marks)
    {
        if (AsHolder(now => (now, now.Find(version))) is { } found) objects.Put(VersionManifests.ErasuresOf(found.Place), ErasureMarkJson.Write(marks));
    }

    public void RecordRefusal(Refusal refusal)
    {
        int number = AsHolder(now => (now with { LastRefusal = now.LastRefusal + 1 }, now.LastRefusal + 1));
        objects.Put(string.Create(CultureInfo.InvariantCulture, $"refusals/{number:D6}.json"), RefusalJson.Write(refusal));
        IgnoreFailure(() => RemoveOldest("refusals/"));
    }

    public IReadOnlyList<Refusal> Refusals() => [.. refusals.All("refusals/").Select(one => one.Value)];

    /// <summary>For a holder the root is written anew even where nothing in it changes: what a later one does comes after it.</summary>
    private T AsHolder<T>(Func<Root, (Root Next, T Result)> change) => root.Change(now =>
    {
        CheckHolder(now);
        (Root next, T result) = change(now);
        return (holder is not null && ReferenceEquals(next, now) ? now with { } : next, result);
    });

    private void RemoveOldest(string prefix)
    {
        foreach (S3Entry old in objects.List(prefix).SkipLast(FolderRecords<Refusal>.Most)) objects.Delete(old.Name);
    }

    /// <summary>What can be done later, or by somebody else, must not undo what was done.</summary>
    private static void IgnoreFailure(Action work)
    {
        try
        {
            work();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or LeaseLostException)
        {
        }
    }

    private string NoSuch(ModelVersion version) => $"There is no model version {version} in {objects.FullName("models")}.";
}
