using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Tests;

public sealed class CatalogueScanTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("catalogue-scan-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Scan_gives_what_the_catalogue_has_and_the_deletions_beside_it()
    {
        var store = new ParquetWindowStore(_folder);
        var none = new Dictionary<int, long> { [0] = 4, [1] = 2 };
        Assert.Empty(Scan(store, none, descriptions: true)); // nothing has landed yet
        store.TryWriteItems(0, 0, 3, [Row(0, 0, "a", "first"), Row(0, 1, "b", "second"), Row(0, 2, "a", "newer"), Row(0, 3, "b", null)]);
        store.TryWriteItems(1, 0, 1, [Row(1, 0, "c", "'quoted' \u00e4 {\"x\"}"), Row(1, 1, "d", null)]);

        var all = Scan(store, none, descriptions: true);
        Assert.Equal([("a", 2L), ("c", 0L)], all.Where(row => row.Json is not null).Select(row => (row.Id.Value, row.Offset)).Order());
        Assert.Equal([("b", 3L), ("d", 1L)], all.Where(row => row.Json is null).Select(row => (row.Id.Value, row.Offset)).Order());
        var catalogue = store.ReadCatalogue(none).ToDictionary(item => item.Id, item => item.Event!);
        foreach (var row in all.Where(row => row.Json is not null))
        {
            var item = CatalogueRow.Read(Encoding.UTF8.GetBytes(row.Json!));
            Assert.Equal(catalogue[row.Id] with { Attributes = item.Attributes }, item);
            Assert.Equal(JsonSerializer.Serialize(catalogue[row.Id].Attributes), JsonSerializer.Serialize(item.Attributes));
        }

        Assert.Equal(all.Select(row => (row.Id, row.Offset, row.Json is null)).Order(), Scan(store, none, descriptions: false).Select(row => (row.Id, row.Offset, row.Json is null)).Order());
        Assert.Equal([("a", 0L), ("b", 1L)], Scan(store, new Dictionary<int, long> { [0] = 2 }, descriptions: true).Select(row => (row.Id.Value, row.Offset)).Order());
        Assert.Empty(Scan(store, new Dictionary<int, long>(), descriptions: true));
    }

    private static List<CatalogueRow> Scan(ParquetWindowStore store, Dictionary<int, long> asOf, bool descriptions)
    {
        var rows = new List<CatalogueRow>();
        store.ScanCatalogue(asOf, descriptions, rows.Add);
        return rows;
    }

    private static StoredItem Row(int partition, long offset, string id, string? title) => new(partition, offset, new ItemId(id), title is null ? null : new ItemEvent(
        new ItemId(id), title, null, new Dictionary<string, JsonElement> { ["size"] = JsonSerializer.SerializeToElement(4.5), ["tags"] = JsonSerializer.SerializeToElement(new[] { "x", title }) }, null, true, 5));
}
