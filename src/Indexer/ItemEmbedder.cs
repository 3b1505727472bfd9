using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.Indexer;

/// <summary>All that the Indexer wants of a model.</summary>
internal interface IItemEmbedder : IDisposable
{
    Fingerprint Fingerprint { get; }

    /// <summary>Names the encoder alone: models that share it differ in their heads and encode nothing anew.</summary>
    Fingerprint Encoder { get; }

    int Dimension { get; }

    /// <summary>A vector for every item, in their order.</summary>
    /// <exception cref="ArgumentException">The model can give none for one of them.</exception>
    float[][] EmbedItems(IReadOnlyList<ItemEvent> items, CancellationToken cancellationToken);
}

/// <summary>Loads the model of a published version.</summary>
/// <exception cref="InvalidDataException">The folder does not hold the model that the manifest names.</exception>
internal delegate IItemEmbedder LoadItemEmbedder(ModelManifest manifest);

/// <param name="lease">Keeps the version in the store as long as its vectors are written.</param>
internal sealed class ItemEmbedder(EmbeddingModel model, IDisposable lease) : IItemEmbedder
{
    public Fingerprint Fingerprint => model.Fingerprint;
    public Fingerprint Encoder => model.ItemEncoder.Fingerprint;
    public int Dimension => model.Dimension;

    public float[][] EmbedItems(IReadOnlyList<ItemEvent> items, CancellationToken cancellationToken) => model.EmbedEach(items, cancellationToken);

    public void Dispose()
    {
        model.Dispose();
        lease.Dispose();
    }

    public static LoadItemEmbedder From(IModelStore models, SharedModels shared, EncoderOutputCache? cache) => manifest =>
    {
        ModelInUse model = models.Use(manifest.Version);
        try
        {
            return new ItemEmbedder(Checked(shared.Rent(model.EncoderFolder, cache), manifest, model.EncoderFolder), model);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    };

    private static EmbeddingModel Checked(EmbeddingModel model, ModelManifest manifest, string folder)
    {
        if (model.Fingerprint == manifest.Model.Fingerprint) return model;
        var found = model.Fingerprint;
        model.Dispose();
        throw new InvalidDataException(
            $"{folder}: the model has fingerprint {found}, expected {manifest.Model.Fingerprint} as its manifest says; the folder was changed.");
    }
}
