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

    public ModelVersion? Live { get { lock (_lock) return _live; } }

    public IReadOnlyList<ModelManifest> List() { lock (_lock) return [.. _manifests]; }

    public ModelManifest? Find(ModelVersion version) { lock (_lock) return _manifests.Find(manifest => manifest.Version == version); }

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
            _live = next;
            return true;
        }
    }

    public void RecordRefusal(Refusal refusal) { lock (_lock) _refusals.Add(refusal); }

    public IReadOnlyList<Refusal> Refusals() { lock (_lock) return [.. _refusals]; }
}
