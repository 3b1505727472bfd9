using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>Published pairs (encoder, head), one folder a version, and the pointer <c>live</c>.</summary>
public interface IModelStore
{
    /// <summary>The version in service; null before the first publication.</summary>
    ModelVersion? Live { get; }

    /// <summary>All published versions, oldest first.</summary>
    IReadOnlyList<ModelManifest> List();

    /// <returns>Null when there is no such version.</returns>
    ModelManifest? Find(ModelVersion version);

    /// <summary>The version's model folder (<c>models/&lt;version&gt;/encoder</c>), loadable by the Encoder.</summary>
    string EncoderFolder(ModelVersion version);

    /// <summary>
    /// Publishes: <paramref name="writeEncoder"/> fills a new folder, everything is flushed to disk, then the version appears in one step. <c>live</c> does not move.
    /// A crash before the end leaves nothing visible.
    /// </summary>
    ModelManifest Publish(ModelDraft draft, Action<string> writeEncoder);

    /// <summary>Publishes and moves <c>live</c> from <paramref name="expected"/> to the new version: after a crash both have happened, or neither.</summary>
    /// <returns>Live: false when <c>live</c> was not at <paramref name="expected"/>; the version is published all the same.</returns>
    (ModelManifest Manifest, bool Live) PublishLive(ModelDraft draft, ModelVersion expected, Action<string> writeEncoder);

    /// <summary>Moves <c>live</c> from <paramref name="expected"/> to <paramref name="next"/>, durably. False: it was not at <paramref name="expected"/>, and nothing changed.</summary>
    bool TryMoveLive(ModelVersion? expected, ModelVersion next);

    /// <summary>Keeps the decision about a challenger that was not published.</summary>
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
public sealed record ModelManifest(ModelVersion Version, DateTimeOffset PublishedAt, ModelDraft Model);

/// <param name="WindowAsOf">What the window could see; null in records of older versions.</param>
public sealed record Refusal(DateTimeOffset At, ModelVersion? Incumbent, string? WindowHash, JsonObject Metrics, string Decision, IReadOnlyDictionary<int, long>? WindowAsOf = null);
