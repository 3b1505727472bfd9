using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The first version: the encoder as it came, without head.</summary>
internal sealed class BaseModel(IModelStore models, EncoderOutputCache cache, ItemText itemText, TrainingPolicy policy, IOptions<BaseEncoderOptions> options, ILogger<BaseModel> logger)
{
    /// <summary>Publishes it and makes it live where no model is live. A version left by an interrupted start is used again.</summary>
    public void Ensure()
    {
        if (models.Live is not null) return;
        string folder = options.Value.Path ?? policy.Embedder ?? SentenceEncoder.DefaultFolder;
        using SentenceEncoder encoder = SentenceEncoder.Load(folder, policy.MaxSeqLength ?? options.Value.MaxSequenceLength);
        using var model = new EmbeddingModel(encoder, head: null, itemText, cache);
        ModelManifest manifest = models.List().FirstOrDefault(m => m.Model.Fingerprint == model.Fingerprint)
            ?? models.Publish(new ModelDraft(model.Fingerprint, model.Dimension, Parent: null, WindowHash: null, new Dictionary<int, long>(), new JsonObject(), new JsonObject(),
                "The encoder as it came, before any training."), model.Save);
        if (models.TryMoveLive(null, manifest.Version)) logger.LogInformation("The untrained encoder of {Folder} is live as {Version}", folder, manifest.Version);
    }
}

/// <summary>Makes a published version live again, after looking whether it still works.</summary>
internal sealed class Rollback(IModelStore models, ItemText itemText)
{
    private static readonly string[] Canaries = ["printer", "A wooden chair for the garden.", "42"];

    public (EncoderPublished? Published, EncoderRejected? Rejected) To(ModelVersion version)
    {
        Guid id = Guid.NewGuid();
        if (models.Find(version) is not { } manifest) return (null, new EncoderRejected(id, $"There is no model version {version}; versions are listed by the ModelStore."));
        if (models.Live == version) return (new EncoderPublished(id, version, manifest.Model.Fingerprint, $"{version} was live already."), null);
        if (Problem(version, manifest) is { } problem) return (null, new EncoderRejected(id, $"{version} was not activated: {problem}."));
        ModelVersion? live = models.Live;
        return models.TryMoveLive(live, version)
            ? (new EncoderPublished(id, version, manifest.Model.Fingerprint, $"Activated by hand; {live?.ToString() ?? "nothing"} was live before."), null)
            : (null, new EncoderRejected(id, $"{version} was not activated: another version took the place of {live} at the same moment."));
    }

    private string? Problem(ModelVersion version, ModelManifest manifest)
    {
        try
        {
            using EmbeddingModel model = EmbeddingModel.Load(models.EncoderFolder(version), itemText, cache: null);
            if (model.Dimension != manifest.Model.Dimension) return $"its vectors have {model.Dimension} dimensions, its manifest says {manifest.Model.Dimension}";
            if (model.Fingerprint != manifest.Model.Fingerprint) return $"its files have fingerprint {model.Fingerprint.Short}, its manifest says {manifest.Model.Fingerprint.Short}";
            return Array.TrueForAll(model.EmbedTexts(Canaries).Values, float.IsFinite) ? null : "it embeds texts as numbers that are not finite";
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            return exception.Message.TrimEnd('.');
        }
    }
}
