using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Standalone.Hosting;

internal static class Catalogues
{
    /// <summary>The items that the store does not know, or knows with other words.</summary>
    public static IReadOnlyList<ItemEvent> Missing(IWindowStore windows, IReadOnlyList<ItemEvent> items)
    {
        Dictionary<ItemId, ItemEvent> known = windows.ReadCatalogue().Where(item => item.Event is not null).ToDictionary(item => item.Id, item => item.Event!);
        return [.. items.Where(item => !known.TryGetValue(item.ItemId, out ItemEvent? stored)
            || stored.Title != item.Title || stored.Description != item.Description || !stored.Available)];
    }
}
