using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>A store that holds what a test has landed in it.</summary>
internal sealed class MemoryWindowStore : IWindowStore
{
    private readonly Dictionary<ItemId, StoredItem> _catalogue = [];
    private long _next;

    public void Land(long offset, ItemEvent? item, ItemId id)
    {
        _catalogue[id] = new StoredItem(0, offset, id, item);
        _next = Math.Max(_next, offset + 1);
    }

    public long NextOffset(string topic, int partition) => _next;
    public IReadOnlyList<StoredItem> ReadCatalogue() => [.. _catalogue.Values.Where(item => item.Event is not null).OrderBy(item => item.Id)];
    public IReadOnlyList<StoredItem> ReadCatalogue(IReadOnlyDictionary<int, long> asOf) => throw new NotSupportedException();

    public void ScanCatalogue(IReadOnlyDictionary<int, long> asOf, bool descriptions, Action<CatalogueRow> take)
    {
        foreach (var item in _catalogue.Values.Where(item => item.Offset < asOf.GetValueOrDefault(item.Partition)))
            take(new CatalogueRow(item.Offset, item.Id, item.Event is null ? null : descriptions ? Json(item.Event) : ""));
    }

    private static string Json(ItemEvent item) => System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, object?>
    {
        ["item_id"] = item.ItemId.Value, ["title"] = item.Title, ["description"] = item.Description, ["attributes"] = item.Attributes,
        ["image_url"] = item.ImageUrl, ["available"] = item.Available, ["updated_at"] = item.UpdatedAtMs,
    });

    public IReadOnlyDictionary<int, long> NextOffsets(string topic) => throw new NotSupportedException();
    public InteractionWindow Read(WindowQuery query) => new([], [], [], [], [], [], new Dictionary<int, long>(), "empty");
    public long? FirstCovered(string topic, int partition, long from) => throw new NotSupportedException();
    public bool TryWriteInteractions(int partition, long first, long last, IReadOnlyList<StoredInteraction> rows) => throw new NotSupportedException();
    public bool TryWriteItems(int partition, long first, long last, IReadOnlyList<StoredItem> rows) => throw new NotSupportedException();
    public void Erase(UserId user, long atMs) => throw new NotSupportedException();
    public bool IsErased(UserId user, long timestampMs) => throw new NotSupportedException();
    public IReadOnlyList<Erasure> Erasures() => throw new NotSupportedException();
    public IReadOnlyList<string> FindUser(UserId user) => throw new NotSupportedException();
    public WindowSummary Describe() => throw new NotSupportedException();
    public IReadOnlySet<string> EventIds(string prefix) => throw new NotSupportedException();
}
