using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The described items, their texts and the addresses of their pictures, ordered by id.</summary>
internal sealed class TrainingCatalogue
{
    private readonly Dictionary<ItemId, int> _indexes = [];

    public TrainingCatalogue(IReadOnlyList<StoredItem> items, ItemText itemText)
    {
        var texts = new List<string>(items.Count);
        var imageUrls = new List<string?>(items.Count);
        foreach (StoredItem item in items)
        {
            if (item.Event is not { } description) continue;
            _indexes[item.Id] = texts.Count;
            texts.Add(itemText.Of(description));
            imageUrls.Add(description.ImageUrl);
        }
        Texts = texts;
        ImageUrls = imageUrls;
    }

    public IReadOnlyList<string> Texts { get; }

    /// <summary>As the items' events have them; null: the item has no picture.</summary>
    public IReadOnlyList<string?> ImageUrls { get; }

    /// <summary>Place of each item in <see cref="Texts"/>; −1 for one that is not described.</summary>
    public int[] IndexesOf(IReadOnlyList<ItemId> items) => [.. items.Select(item => _indexes.GetValueOrDefault(item, -1))];
}
