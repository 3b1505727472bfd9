using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The described items and their texts, ordered by id.</summary>
internal sealed class TrainingCatalogue
{
    private readonly Dictionary<ItemId, int> _indexes = [];

    public TrainingCatalogue(IReadOnlyList<StoredItem> items, ItemText itemText)
    {
        var texts = new List<string>(items.Count);
        foreach (StoredItem item in items)
        {
            if (item.Event is not { } description) continue;
            _indexes[item.Id] = texts.Count;
            texts.Add(itemText.Of(description));
        }
        Texts = texts;
    }

    public IReadOnlyList<string> Texts { get; }

    /// <summary>Place of each item in <see cref="Texts"/>; −1 for one that is not described.</summary>
    public int[] IndexesOf(IReadOnlyList<ItemId> items) => [.. items.Select(item => _indexes.GetValueOrDefault(item, -1))];
}
