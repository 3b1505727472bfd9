using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;

namespace BeeFormer.Streaming.Api;

/// <summary>Makes a published version live again, after looking whether it still works.</summary>
internal sealed class ModelActivation(IModelStore models, LoadQueryEmbedder load, PublishControlMessage publish)
{
    /// <param name="Before">The version that was live; the same version when nothing had to move.</param>
    /// <param name="Problem">Why it was not activated; null when it is live now.</param>
    internal sealed record Outcome(ModelVersion? Before, string? Problem);

    /// <summary>Moves <c>live</c> and tells the others, who would find out by looking.</summary>
    /// <returns>Null when there is no such version.</returns>
    public async Task<Outcome?> ActivateAsync(ModelVersion version, string decision, CancellationToken cancellationToken)
    {
        ModelVersion? before = models.Live;
        if (Find(version, out string? damage) is not { } target) return damage is null ? null : new Outcome(before, $"Model {version} was not activated: {damage}");
        if (Problem(target) is { } problem) return new Outcome(before, $"Model {version} was not activated: {problem}");
        if (before != version && !models.TryMoveLive(before, version))
            return new Outcome(before, $"Model {version} was not activated: another model went live at the same moment ({models.Live}); look and try again.");
        await publish(new EncoderPublished(Guid.CreateVersion7(), version, target.Model.Fingerprint, decision), cancellationToken);
        return new Outcome(before, null);
    }

    private ModelManifest? Find(ModelVersion version, out string? damage)
    {
        damage = null;
        try
        {
            return models.Find(version);
        }
        catch (InvalidDataException failure)
        {
            damage = failure.Message;
            return null;
        }
    }

    private string? Problem(ModelManifest target)
    {
        try
        {
            // The model may be in memory already; what is on disk has to be whole, too.
            if (models.Problem(target.Version) is { } damage) return damage;
            using IQueryEmbedder model = load(target.Version);
            return ModelTrial.Problem(model, target);
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException)
        {
            return $"it does not load: {failure.Message}";
        }
    }
}
