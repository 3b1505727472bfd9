using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Indexer;

internal static class ItemEvents
{
    public static ReadItemEvent Reader(TimeProvider time) => message =>
    {
        _ = time;
        try { using var d = JsonDocument.Parse(message.Value!); var e = d.RootElement;
            return new ItemEvent(new ItemId(e.GetProperty("item_id").GetString()!), e.GetProperty("title").GetString()!, null, new Dictionary<string, JsonElement>(), null, !e.TryGetProperty("available", out var a) || a.GetBoolean(), 0); }
        catch (Exception x) when (x is JsonException or KeyNotFoundException or InvalidOperationException) { return null; }
    };
}
