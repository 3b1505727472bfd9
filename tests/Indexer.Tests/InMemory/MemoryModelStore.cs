using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.InMemory;

internal sealed class MemoryModelStore : IModelStore
{
    private readonly Lock _lock = new();
    private readonly List<ModelManifest> _manifests = [];
    private readonly List<Refusal> _refusals = [];
    private ModelVersion? _live;
    private ModelVersion? _previous;

    /// <summary>What <see cref="Problem"/> says of a version, and <see cref="Find"/> throws.</summary>
    public Dictionary<ModelVersion, string> Broken { get; } = [];

    public IModelStore Under(HeldLease lease) => this;

    /// <summary>Nobody answers who asks what is live.</summary>
    public bool Away { get; set; }

    public ModelVersion? Live { get { lock (_lock) return Away ? throw new IOException("The model store does not answer.") : _live; } }

    public ModelVersion? Previous { get { lock (_lock) return _previous; } }

    public IReadOnlyList<DamagedModel> Damaged() => [.. Broken.Select(broken => new DamagedModel(broken.Key, broken.Value))];

    public IReadOnlyList<ModelManifest> Retired() => [];

    public string? Problem(ModelVersion version) => Broken.GetValueOrDefault(version);

    public IDisposable Lease(ModelVersion version) => Find(version) is null ? throw new InvalidDataException($"There is no model version {version}.") : new NoLease();

    public ModelInUse Use(ModelVersion version) => new(Find(version) ?? throw new InvalidDataException($"There is no model version {version}."), EncoderFolder(version), Lease(version));

    public IReadOnlyList<ModelVersion> Retain(int newest) => [];

    public Dictionary<ModelVersion, IReadOnlyList<ErasureMark>> Marks { get; } = [];

    public IReadOnlyList<ErasureMark> Erasures(ModelVersion version) => Marks.GetValueOrDefault(version, []);

    public void MarkErasures(ModelVersion version, IReadOnlyList<ErasureMark> marks) => Marks[version] = marks;

    /// <summary>The version's name stands for its archive.</summary>
    public void Export(ModelVersion version, Stream archive) => archive.Write(System.Text.Encoding.UTF8.GetBytes(version.Value));

    /// <summary>Takes the digit of the fingerprint for an archive; anything else is refused as a damaged one.</summary>
    public (ModelManifest Manifest, bool Added) Import(Stream archive, string name, long mostBytes, Action<ModelManifest, string> check)
    {
        string text = new StreamReader(archive).ReadToEnd();
        if (text.Length != 1 || !char.IsAsciiHexDigitLower(text[0])) throw new InvalidDataException($"{name} holds \"{text}\"; expected an archive.");
        if (List().FirstOrDefault(known => known.Model.Fingerprint.Value[0] == text[0]) is { } here) return (here, false);
        return (Publish(new ModelDraft(new Fingerprint(new string(text[0], 64)), FakeModel.Dimension, null, "w", new Dictionary<int, long>(), [], [], "elsewhere"), _ => { }), true);
    }

    private sealed class NoLease : IDisposable
    {
        public void Dispose() { }
    }

    public IReadOnlyList<ModelManifest> List() { lock (_lock) return [.. _manifests]; }

    public ModelManifest? Find(ModelVersion version)
    {
        if (Broken.TryGetValue(version, out string? problem)) throw new InvalidDataException(problem);
        lock (_lock) return _manifests.Find(manifest => manifest.Version == version);
    }

    public string EncoderFolder(ModelVersion version) => $"/models/{version}/encoder";

    public ModelManifest Publish(ModelDraft draft, Action<string> writeEncoder)
    {
        lock (_lock)
        {
            var manifest = new ModelManifest(ModelVersion.Of(_manifests.Count + 1, draft.Fingerprint), DateTimeOffset.UnixEpoch, draft);
            _manifests.Add(manifest);
            return manifest;
        }
    }

    public (ModelManifest Manifest, bool Live) PublishLive(ModelDraft draft, ModelVersion expected, Action<string> writeEncoder)
    {
        var manifest = Publish(draft, writeEncoder);
        return (manifest, TryMoveLive(expected, manifest.Version));
    }

    /// <summary>Publishes a model whose fingerprint begins with this letter, and makes it live.</summary>
    public ModelManifest GoLive(char letter)
    {
        var fingerprint = new Fingerprint(new string(letter, 64));
        var manifest = List().FirstOrDefault(known => known.Model.Fingerprint == fingerprint)
            ?? Publish(new ModelDraft(fingerprint, FakeModel.Dimension, Live, null, new Dictionary<int, long>(), new JsonObject(), new JsonObject(), "test"), _ => { });
        Assert.True(TryMoveLive(Live, manifest.Version));
        return manifest;
    }

    public bool TryMoveLive(ModelVersion? expected, ModelVersion next)
    {
        lock (_lock)
        {
            if (_live != expected) return false;
            (_previous, _live) = (_live, next);
            return true;
        }
    }

    public void RecordRefusal(Refusal refusal) { lock (_lock) _refusals.Add(refusal); }

    public IReadOnlyList<Refusal> Refusals() { lock (_lock) return [.. _refusals]; }
}
