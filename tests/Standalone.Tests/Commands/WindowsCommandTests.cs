using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.Tests.DataSets;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

public sealed class WindowsCommandTests : IDisposable
{
    private readonly Files files = new();

    public WindowsCommandTests()
    {
        using DataFolder folder = DataFolder.Open(files.Folder);
        var store = new ParquetWindowStore(folder.Windows);
        store.TryWriteInteractions(0, 0, 2, [Row(0, "e1", "u1", "i1", 1_000), Row(1, "e2", "u1", "i2", 2_000), Row(2, "e1", "u1", "i1", 1_000)]);
        store.TryWriteInteractions(0, 3, 3, [Row(3, "e3", "u2", "i2", 3_000)]);
        store.TryWriteItems(0, 0, 0, [new StoredItem(0, 0, new ItemId("i1"), new ItemEvent(new ItemId("i1"), "Printer", null, new Dictionary<string, JsonElement>(), null, true, 0))]);
    }

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task Count_prints_the_number_of_distinct_interactions_alone() =>
        Assert.Equal("3", (await Tool.SucceedAsync("windows", "count", "--data", files.Folder)).Output.TrimEnd('\n', '\r'));

    [Fact]
    public async Task Describe_tells_what_has_landed()
    {
        string json = Path.Combine(files.Folder, "out", "windows.json");
        string[] lines = (await Tool.SucceedAsync("windows", "describe", "--data", files.Folder, "--json", json)).Output.Split('\n');
        void Says(string what, string much) => Assert.Contains(lines, line => line.Contains($" {what} ", StringComparison.Ordinal) && line.Contains($" {much} ", StringComparison.Ordinal));
        Says("interactions", "3");
        Says("users", "2");
        Says("items interacted with", "2");
        Says("items in the catalogue", "1");
        Says("from", "1970-01-01 00:00:01Z");
        Says("to", "1970-01-01 00:00:03Z");
        Says("interaction segments", "2");
        Says("item segments", "1");
        JsonElement written = JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(json));
        Assert.Equal(["interactions", "users", "items", "catalogue_items", "from_ms", "to_ms", "interaction_segments", "item_segments", "bytes"], Shape.Names(written));
        Assert.Equal([3, 2, 2, 1, 1_000, 3_000, 2, 1], written.EnumerateObject().Select(property => property.Value.GetInt64()).Take(8));
    }

    [Fact]
    public async Task Looking_is_possible_beside_a_running_process()
    {
        using DataFolder running = DataFolder.Open(files.Folder);
        await Tool.SucceedAsync("windows", "count", "--data", files.Folder);
    }

    private static StoredInteraction Row(long offset, string id, string user, string item, long timestampMs) =>
        new(offset, id, new UserId(user), new ItemId(item), "purchase", null, timestampMs, null);
}
