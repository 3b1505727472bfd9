using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Standalone.Commands;
using BeeFormer.Streaming.Standalone.Replay;

namespace BeeFormer.Streaming.Standalone.Hosting;

/// <summary>The catalogue as the untrained encoder sees it: the first version in the store, which every trained one is compared with.</summary>
internal static class BaseVectors
{
    public static Task<ItemVectors> EncodeAsync(StandaloneHost host, IReadOnlyList<ItemEvent> items, Bars bars, CancellationToken cancellationToken) => Task.Run(() =>
    {
        IModelStore models = host.Pipeline.Models;
        ModelManifest first = models.List().FirstOrDefault(manifest => manifest.Model is { Parent: null, WindowHash: null })
            ?? throw new InvalidDataException($"{host.Folder.Models} holds no untrained encoder; expected the version that the first start publishes.");
        using EmbeddingModel model = host.Models.Rent(models.EncoderFolder(first.Version), host.Cache);
        Bar bar = bars.Start("Untrained encoder's view of the catalogue", items.Count);
        EmbeddingMatrix matrix = model.EmbedItems(items, bar, cancellationToken);
        bar.Finish();
        Dictionary<ItemId, int> places = items.Select((item, place) => (item.ItemId, place)).ToDictionary(pair => pair.ItemId, pair => pair.place);
        return new ItemVectors([.. Enumerable.Range(0, matrix.Rows).Select(row => matrix.Row(row).ToArray())], places);
    }, cancellationToken);
}
