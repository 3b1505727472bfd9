using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Tests;

internal static class Rows
{
    public static StoredInteraction Purchase(long offset, string user, string item, long ms, string? eventId = null) =>
        new(offset, eventId ?? $"e{offset}", new UserId(user), new ItemId(item), "purchase", null, ms, null);

    public static StoredItem Described(long offset, string id, string title, int partition = 0) => new(partition, offset, new ItemId(id),
        new ItemEvent(new ItemId(id), title, null, new Dictionary<string, JsonElement>(), null, true, offset));

    public static void Write(this ParquetWindowStore store, int partition, params StoredInteraction[] rows) =>
        Assert.True(store.TryWriteInteractions(partition, rows[0].Offset, rows[^1].Offset, rows));

    /// <summary>A window as readable lines: user item weight@time.</summary>
    public static string[] Lines(this InteractionWindow window) =>
        [.. Enumerable.Range(0, window.Count).Select(n => $"{window.Users[window.User[n]]} {window.Items[window.Item[n]]} {window.Weight[n]:R}@{window.TimestampMs[n]}")];

    /// <summary>Offsets of the rows that the store holds, whatever their events.</summary>
    public static long[] Offsets(this ParquetWindowStore store) =>
        [.. Enumerable.Range(0, 10).Select(n => (long)n).Where(n => store.Read(new WindowQuery { FromOffsets = new Dictionary<int, long> { [0] = n }, AsOf = new Dictionary<int, long> { [0] = n + 1 } }).Count > 0)];
}
