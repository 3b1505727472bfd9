using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>Published pairs (encoder, head), one folder a version, and the pointer <c>live</c>.</summary>
public interface IModelStore
{
    /// <summary>
    /// This store as the holder of a lease writes to it: from now on what earlier holders do through theirs changes nothing and throws <see cref="LeaseLostException"/>, and so does what is done through
    /// the result once there is another holder. What needs no lease (a user's activation, an import) goes past it.
    /// </summary>
    /// <exception cref="LeaseLostException">There is a later holder already.</exception>
    IModelStore Under(HeldLease lease);

    /// <summary>The version in service; null before the first publication.</summary>
    /// <exception cref="InvalidDataException">The pointer is damaged.</exception>
    ModelVersion? Live { get; }

    /// <summary>The version that was live before <see cref="Live"/>, to go back to; null where there was none.</summary>
    ModelVersion? Previous { get; }

    /// <summary>All published versions whose manifest can be read, oldest first.</summary>
    IReadOnlyList<ModelManifest> List();

    /// <summary>Versions whose manifest cannot be read, or of which a file is missing or has another length; what <see cref="Problem"/> finds beyond that needs every byte read.</summary>
    IReadOnlyList<DamagedModel> Damaged();

    /// <summary>Manifests of versions that <see cref="Retain"/> removed, oldest first: the lineage stays whole.</summary>
    IReadOnlyList<ModelManifest> Retired();

    /// <returns>Null when there is no such version.</returns>
    /// <exception cref="InvalidDataException">Its manifest is damaged.</exception>
    ModelManifest? Find(ModelVersion version);

    /// <summary>Compares manifest and all files of a version with what was published.</summary>
    /// <returns>What is wrong with it, in one sentence that names the file; null: nothing.</returns>
    string? Problem(ModelVersion version);

    /// <summary>The version's model folder (<c>models/&lt;version&gt;/encoder</c>), loadable by the Encoder.</summary>
    string EncoderFolder(ModelVersion version);

    /// <summary>Keeps the version from being removed until the result is disposed, or until the process ends.</summary>
    /// <exception cref="InvalidDataException">There is no such version.</exception>
    IDisposable Lease(ModelVersion version);

    /// <summary>
    /// Manifest, folder and lease of a version in one. Where its copy lies on this machine, a store elsewhere need not answer: then the copy is used as it is, and the lease begins when the store answers again.
    /// </summary>
    /// <exception cref="InvalidDataException">There is no such version, or it is damaged.</exception>
    /// <exception cref="IOException">The store does not answer, and there is no copy here.</exception>
    ModelInUse Use(ModelVersion version);

    /// <summary>
    /// Publishes: <paramref name="writeEncoder"/> fills a new folder, everything is flushed to disk, then the version appears in one step. <c>live</c> does not move.
    /// A failure or crash before the end leaves nothing visible.
    /// </summary>
    ModelManifest Publish(ModelDraft draft, Action<string> writeEncoder);

    /// <summary>Publishes and moves <c>live</c> from <paramref name="expected"/> to the new version: after a failure or crash both have happened, or neither.</summary>
    /// <returns>Live: false when <c>live</c> was not at <paramref name="expected"/>; the version is published all the same.</returns>
    (ModelManifest Manifest, bool Live) PublishLive(ModelDraft draft, ModelVersion expected, Action<string> writeEncoder);

    /// <summary>Moves <c>live</c> from <paramref name="expected"/> to <paramref name="next"/>, durably. False: it was not at <paramref name="expected"/>, and nothing changed.</summary>
    bool TryMoveLive(ModelVersion? expected, ModelVersion next);

    /// <summary>
    /// Removes all but the newest versions. Never removed: the live version and the one before it, the untrained one that others are compared with, and versions under a <see cref="Lease"/> of any process.
    /// </summary>
    /// <param name="newest">How many of the newest stay, 1 or more.</param>
    /// <returns>The removed versions, oldest first.</returns>
    IReadOnlyList<ModelVersion> Retain(int newest);

    /// <summary>Writes a version as an archive: the same bytes each time.</summary>
    /// <exception cref="InvalidDataException">There is no such version, or it is damaged.</exception>
    void Export(ModelVersion version, Stream archive);

    /// <summary>Reads what <see cref="Export"/> wrote, from here or elsewhere, and makes it a version of this store with a number of its own. <c>live</c> does not move.</summary>
    /// <param name="archive">Comes from anywhere; everything in it is checked before the version appears.</param>
    /// <param name="name">What to call the archive in errors.</param>
    /// <param name="mostBytes">Most bytes that its files may have together.</param>
    /// <param name="check">Told the archive's manifest and the folder of its model; throws where the model does not load or is not what the manifest says.</param>
    /// <returns>Added: false when the store has a version with this fingerprint already; that one is returned.</returns>
    /// <exception cref="InvalidDataException">Names the archive, the entry and what was expected; nothing was added.</exception>
    (ModelManifest Manifest, bool Added) Import(Stream archive, string name, long mostBytes, Action<ModelManifest, string> check);

    /// <summary>Erased users whose rows the version could see, as far as <see cref="MarkErasures"/> was told; empty for a version that is not there, and where the marks are damaged: whoever finds them wanting writes them anew.</summary>
    IReadOnlyList<ErasureMark> Erasures(ModelVersion version);

    /// <summary>Replaces what <see cref="Erasures"/> gives, whole and durably. Of a version that is not there nothing is kept.</summary>
    void MarkErasures(ModelVersion version, IReadOnlyList<ErasureMark> marks);

    /// <summary>Keeps the decision about a challenger that was not published; of very many the oldest go.</summary>
    void RecordRefusal(Refusal refusal);

    /// <summary>Refusals, oldest first.</summary>
    IReadOnlyList<Refusal> Refusals();
}

/// <summary>What the trainer knows about a model that it wants to publish.</summary>
/// <param name="WindowHash">Content hash of the window it learned from; null for the base model.</param>
/// <param name="Metrics">Evaluation record as JSON: per candidate and slice the measures of the gate.</param>
public sealed record ModelDraft(
    Fingerprint Fingerprint, int Dimension, ModelVersion? Parent, string? WindowHash, IReadOnlyDictionary<int, long> WindowAsOf, JsonObject HyperParameters, JsonObject Metrics, string Decision);

/// <summary><c>manifest.json</c> of a version. Frozen names; may grow.</summary>
/// <param name="Files">All files of the model folder, by path; null in manifests of older versions of this program.</param>
/// <param name="Origin">Where the model was made, if it was not made here.</param>
public sealed record ModelManifest(ModelVersion Version, DateTimeOffset PublishedAt, ModelDraft Model, IReadOnlyList<ModelFile>? Files = null, ModelOrigin? Origin = null)
{
    /// <summary>The encoder as it came, which every trained model of this store is compared with.</summary>
    public bool IsUntrained => Origin is null && Model is { Parent: null, WindowHash: null };
}

/// <param name="Path">Inside the model folder, with forward slashes.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
public sealed record ModelFile(string Path, long Bytes, string Sha256);

/// <summary>What an imported model was called in the store that it comes from; its offsets and its parent mean something there only.</summary>
public sealed record ModelOrigin(ModelVersion Version, DateTimeOffset PublishedAt, ModelVersion? Parent);

/// <param name="Problem">Names the file and what is wrong with it.</param>
public sealed record DamagedModel(ModelVersion Version, string Problem);

/// <param name="WindowAsOf">What the window could see; null in records of older versions.</param>
public sealed record Refusal(DateTimeOffset At, ModelVersion? Incumbent, string? WindowHash, JsonObject Metrics, string Decision, IReadOnlyDictionary<int, long>? WindowAsOf = null);
