using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The described items, their texts and words by one template and the addresses of their pictures, ordered by id.</summary>
internal sealed class TrainingCatalogue
{
    private readonly Dictionary<ItemId, int> _indexes = [];

    public TrainingCatalogue(IReadOnlyList<StoredItem> items, ItemText itemText)
    {
        var described = new List<ItemEvent>(items.Count);
        foreach (StoredItem item in items)
        {
            if (item.Event is not { } description) continue;
            _indexes[item.Id] = described.Count;
            described.Add(description);
        }
        Items = described;
        Texts = [.. described.Select(itemText.Of)];
        Words = [.. described.Select(itemText.WordsOf)];
        ImageUrls = [.. described.Select(item => item.ImageUrl)];
    }

    public IReadOnlyList<ItemEvent> Items { get; }

    public IReadOnlyList<string> Texts { get; }

    /// <summary>Texts with their attributes, <see cref="ItemText.WordsOf"/>.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>What a head of this shape finds its words in.</summary>
    public IReadOnlyList<string> WordsFor(HeadShape head) => head.Reads(Texts, Words);

    /// <summary>As the items' events have them; null: the item has no picture.</summary>
    public IReadOnlyList<string?> ImageUrls { get; }

    /// <summary>Place of each item in <see cref="Texts"/>; −1 for one that is not described.</summary>
    public int[] IndexesOf(IReadOnlyList<ItemId> items) => [.. items.Select(item => _indexes.GetValueOrDefault(item, -1))];
}
