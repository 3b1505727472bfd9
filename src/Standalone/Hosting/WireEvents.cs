using System.Buffers;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Standalone.Hosting;

/// <summary>Events as they stand in the log: JSON in UTF-8, as any producer would write it.</summary>
internal static class WireEvents
{
    public static byte[] Write(InteractionEvent interaction) => Write(json =>
    {
        if (interaction.EventId is { } id) json.WriteString("event_id", id);
        json.WriteString("user_id", interaction.UserId.Value);
        json.WriteString("item_id", interaction.ItemId.Value);
        json.WriteString("type", interaction.Type);
        if (interaction.Value is { } value) json.WriteNumber("value", value);
        json.WriteNumber("timestamp", interaction.TimestampMs);
        if (interaction.SessionId is { } session) json.WriteString("session_id", session);
    });

    public static byte[] Write(ItemEvent item) => Write(json =>
    {
        json.WriteString("item_id", item.ItemId.Value);
        json.WriteString("title", item.Title);
        if (item.Description is { } description) json.WriteString("description", description);
        if (item.Attributes.Count > 0)
        {
            json.WriteStartObject("attributes");
            foreach ((string name, JsonElement value) in item.Attributes)
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
            json.WriteEndObject();
        }
        if (item.ImageUrl is { } image) json.WriteString("image_url", image);
        json.WriteBoolean("available", item.Available);
        json.WriteNumber("updated_at", item.UpdatedAtMs);
    });

    private static byte[] Write(Action<Utf8JsonWriter> fields)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            fields(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
