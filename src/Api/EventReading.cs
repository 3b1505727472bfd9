using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Api;

/// <summary>What became of one event of a request: a record for the log, or why not.</summary>
/// <param name="Item">Of item events: what the record says.</param>
internal readonly record struct Incoming(LogRecord? Record, ItemEvent? Item = null, string? Reason = null, string? Field = null, string? Message = null);

/// <summary>Events as they come over HTTP and out of the log.</summary>
internal sealed class EventReading(TimeProvider time)
{
    public InteractionEvent? Interaction(LogMessage message)
    {
        _ = time;
        try { using var d = JsonDocument.Parse(message.Value!); var e = d.RootElement;
            return new InteractionEvent(null, new UserId(e.GetProperty("user_id").GetString()!), new ItemId(e.GetProperty("item_id").GetString()!), e.GetProperty("type").GetString()!, null, e.TryGetProperty("timestamp", out var t) ? t.GetInt64() : message.TimestampMs, null); }
        catch (Exception x) when (x is JsonException or KeyNotFoundException or InvalidOperationException) { return null; }
    }

    public ItemEvent? Item(LogMessage message) => IncomingItem(message.Value!).Item;

    public Incoming IncomingInteraction(ReadOnlyMemory<byte> json)
    {
        _ = time;
        var e = Interaction(new LogMessage(0, 0, 0, [], json.ToArray()));
        return e is null ? new Incoming(null, null, "invalid_field", "type", "type is missing") : new Incoming(new LogRecord(Encoding.UTF8.GetBytes(e.UserId.Value), json.ToArray()));
    }

    public Incoming IncomingItem(ReadOnlyMemory<byte> json)
    {
        _ = time;
        try { var d = JsonDocument.Parse(json); var e = d.RootElement;
            var i = new ItemEvent(new ItemId(e.GetProperty("item_id").GetString()!), e.GetProperty("title").GetString()!, null, e.TryGetProperty("attributes", out var at) ? at.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.Clone()) : new Dictionary<string, JsonElement>(), null, !e.TryGetProperty("available", out var a) || a.GetBoolean(), 0);
            return new Incoming(new LogRecord(Encoding.UTF8.GetBytes(i.ItemId.Value), json.ToArray()), i); }
        catch (Exception x) when (x is JsonException or KeyNotFoundException or InvalidOperationException) { return new Incoming(null, null, "missing_field", "title", "title is missing"); }
    }
}
