using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>The topic <c>items</c> on the wire; field names never change. A field of the shop's own is kept as an attribute.</summary>
public static class ItemJson
{
    internal static class Field
    {
        public const string ItemId = "item_id", Title = "title", Description = "description", Attributes = "attributes", ImageUrl = "image_url", Available = "available", UpdatedAt = "updated_at";
    }

    // Letters of any script as they are: escaped, a long description would not fit into the event that it came in.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads one item. Never throws on bad bytes: they give a rejection.</summary>
    /// <param name="key">The message's key: the item id. Empty: not checked.</param>
    /// <param name="logTimestampMs">The time of the change when the item names none.</param>
    public static bool TryRead(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long logTimestampMs, ClockLimits clock,
        [NotNullWhen(true)] out ItemEvent? item, [NotNullWhen(false)] out Rejection? rejection)
    {
        if (!JsonFields.TryParse(value, (ref Utf8JsonReader reader, out Rejection? problem) => Read(ref reader, logTimestampMs, clock, out problem), out item, out rejection)) return false;
        if (!key.IsEmpty && !key.SequenceEqual(Encoding.UTF8.GetBytes(item.ItemId.Value)))
        {
            rejection = new Rejection(RejectionReasons.KeyMismatch, $"{Field.ItemId} is '{item.ItemId}', which is not the message's key");
            item = null;
            return false;
        }
        return true;
    }

    /// <summary>Reads the key of a tombstone: the item to delete.</summary>
    public static bool TryReadKey(ReadOnlySpan<byte> key, out ItemId item, [NotNullWhen(false)] out Rejection? rejection)
    {
        string? text = JsonFields.KeyText(key, "the message's key (item_id)", out rejection);
        item = new ItemId(text ?? "");
        return text is not null;
    }

    public static byte[] Key(ItemId item) => Encoding.UTF8.GetBytes(item.Value);

    public static byte[] Write(ItemEvent item)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, Readable);
        json.WriteStartObject();
        json.WriteString(Field.ItemId, item.ItemId.Value);
        json.WriteString(Field.Title, item.Title);
        if (item.Description is { } description) json.WriteString(Field.Description, description);
        if (item.Attributes.Count > 0)
        {
            json.WriteStartObject(Field.Attributes);
            foreach (var (name, value) in item.Attributes)
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
            json.WriteEndObject();
        }
        if (item.ImageUrl is { } url) json.WriteString(Field.ImageUrl, url);
        json.WriteBoolean(Field.Available, item.Available);
        json.WriteNumber(Field.UpdatedAt, item.UpdatedAtMs);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The record to append: key and value.</summary>
    public static LogRecord Record(ItemEvent item) => new(Key(item.ItemId), Write(item));

    private static ItemEvent? Read(ref Utf8JsonReader reader, long logTimestampMs, ClockLimits clock, out Rejection? rejection)
    {
        string? id = null, title = null, description = null, imageUrl = null;
        bool available = true;
        long? updatedAt = null;
        var attributes = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        rejection = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (!seen.Add(name))
            {
                rejection = JsonFields.Invalid(name, "to occur once, it occurs twice");
                return null;
            }
            if (reader.TokenType == JsonTokenType.Null) continue; // the same as leaving the field out
            switch (name)
            {
                case Field.ItemId: id = JsonFields.IdText(ref reader, name, out rejection); break;
                case Field.Title: title = JsonFields.Text(ref reader, name, EventLimits.MaxTitleLength, out rejection); break;
                case Field.Description: description = JsonFields.Text(ref reader, name, EventLimits.MaxDescriptionLength, out rejection, mayBeEmpty: true); break;
                case Field.ImageUrl: imageUrl = JsonFields.Text(ref reader, name, EventLimits.MaxImageUrlLength, out rejection, mayBeEmpty: true); break;
                case Field.UpdatedAt: updatedAt = JsonFields.Timestamp(ref reader, name, clock, out rejection); break;
                case Field.Attributes: rejection = ItemAttributes.ReadObject(ref reader, attributes); break;
                case Field.Available:
                    if (reader.TokenType is JsonTokenType.True or JsonTokenType.False) available = reader.GetBoolean();
                    else rejection = JsonFields.Invalid(name, "true or false");
                    break;
                default: rejection = ItemAttributes.ReadValue(ref reader, name, attributes, skipUnfit: true); break;
            }
            if (rejection is not null) return null;
        }
        rejection = id is null ? JsonFields.Missing(Field.ItemId, "the item's id")
            : title is null ? JsonFields.Missing(Field.Title, $"1 to {EventLimits.MaxTitleLength} characters")
            : null;
        return rejection is null ? new ItemEvent(new ItemId(id!), title!, description, attributes, imageUrl, available, updatedAt ?? logTimestampMs) : null;
    }
}
