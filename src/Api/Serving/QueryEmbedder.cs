using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.Api;

/// <summary>All that the Api wants of a model.</summary>
internal interface IQueryEmbedder : IDisposable
{
    Fingerprint Fingerprint { get; }
    float[] EmbedQuery(string text);
}

/// <summary>Loads the model of a published version, which stays in the store as long as the model is in use.</summary>
/// <exception cref="InvalidDataException">There is no such version, or its folder does not hold the model that its manifest names.</exception>
internal delegate IQueryEmbedder LoadQueryEmbedder(ModelVersion version);

/// <param name="lease">Ends with the model; null: the folder is no version of a store.</param>
internal sealed class QueryEmbedder(EmbeddingModel model, IDisposable? lease) : IQueryEmbedder
{
    public Fingerprint Fingerprint => model.Fingerprint;
    public float[] EmbedQuery(string text) => model.EmbedQuery(text);

    public void Dispose()
    {
        model.Dispose();
        lease?.Dispose();
    }

    public static LoadQueryEmbedder From(IModelStore models, SharedModels shared) => version =>
    {
        ModelInUse model = models.Use(version);
        try
        {
            return new QueryEmbedder(Checked(shared.Rent(model.EncoderFolder, cache: null), model.Manifest, model.EncoderFolder), model);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    };

    /// <summary>Reads the folder itself, whatever is in memory already.</summary>
    public static IQueryEmbedder Load(ModelManifest manifest, string folder) =>
        new QueryEmbedder(Checked(EmbeddingModel.Load(folder, cache: null), manifest, folder), lease: null);

    private static EmbeddingModel Checked(EmbeddingModel model, ModelManifest manifest, string folder)
    {
        if (model.Fingerprint == manifest.Model.Fingerprint) return model;
        var found = model.Fingerprint;
        model.Dispose();
        throw new InvalidDataException(
            $"{folder}: the model has fingerprint {found}, expected {manifest.Model.Fingerprint} as its manifest says; the folder was changed.");
    }
}
