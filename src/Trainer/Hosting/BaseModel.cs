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
    /// <exception cref="InvalidDataException">The live model is damaged; says which other may take its place.</exception>
    public void Ensure()
    {
        if (Check()) return;
        string? named = options.Value.Path ?? policy.Embedder;
        using ItemEncoder encoder = Encoder(named);
        using var model = new EmbeddingModel(encoder, head: null, itemText, cache, pictures: null);
        ModelManifest manifest = models.List().FirstOrDefault(m => m.Model.Fingerprint == model.Fingerprint && models.Problem(m.Version) is null)
            ?? models.Publish(new ModelDraft(model.Fingerprint, model.Dimension, Parent: null, WindowHash: null, new Dictionary<int, long>(), new JsonObject(), new JsonObject(),
                "The encoder as it came, before any training."), model.Save);
        if (models.TryMoveLive(null, manifest.Version)) logger.LogInformation("The untrained encoder of {Folder} is live as {Version}", named ?? SentenceEncoder.DefaultFolder, manifest.Version);
    }

    /// <returns>False: no model is live.</returns>
    /// <exception cref="InvalidDataException">The live model is damaged; says which other may take its place.</exception>
    public bool Check()
    {
        if (models.Live is not { } live) return false;
        if (models.Problem(live) is { } problem) throw new InvalidDataException($"Model {live} is live and damaged: {problem} {WayOut(live)}");
        return true;
    }

    private ItemEncoder Encoder(string? named)
    {
        SentenceEncoder text = StartEncoder.Load(named, policy.MaxSeqLength ?? options.Value.MaxSequenceLength, options.Value.Arithmetic);
        if (!policy.UseImages) return new ItemEncoder(text);
        try
        {
            var encoder = new ItemEncoder(TextImageEncoder.Load(named ?? SentenceEncoder.DefaultFolder, text));
            if (encoder.IsFinite) return encoder;
            encoder.Dispose();
            throw new InvalidDataException("its weights hold values that are not finite numbers.");
        }
        catch (InvalidDataException problem)
        {
            throw new InvalidDataException($"The policy says use_images: true, and the encoder has no image tower that can be used (set use_images: false, or name the sentence-transformers folder of a CLIP): {problem.Message}", problem);
        }
    }

    private string WayOut(ModelVersion live)
    {
        IEnumerable<ModelVersion> others = models.List().Select(model => model.Version).Reverse();
        if (models.Previous is { } previous) others = others.Prepend(previous);
        foreach (ModelVersion other in others.Where(other => other != live))
            if (models.Problem(other) is null) return $"Activate another: beeformer models activate {other}.";
        return "No other version is whole: import one (beeformer models import) and activate it.";
    }
}
