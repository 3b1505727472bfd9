using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>The topic <c>interactions</c> on the wire; field names never change.</summary>
public static class InteractionJson
{
    private static class Field
    {
        public const string EventId = "event_id", UserId = "user_id", ItemId = "item_id", Type = "type", Value = "value", Timestamp = "timestamp", SessionId = "session_id";
    }

    /// <summary>Reads one event. Never throws on bad bytes: they give a rejection.</summary>
    /// <param name="key">The message's key: the user id. Empty: not checked (an event at the HTTP edge has none yet).</param>
    /// <param name="logTimestampMs">The event's time when it names none.</param>
    public static bool TryRead(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long logTimestampMs, ClockLimits clock,
        [NotNullWhen(true)] out InteractionEvent? interaction, [NotNullWhen(false)] out Rejection? rejection)
    {
        if (!JsonFields.TryParse(value, (ref Utf8JsonReader reader, out Rejection? problem) => Read(ref reader, logTimestampMs, clock, out problem), out interaction, out rejection)) return false;
        if (!key.IsEmpty && !key.SequenceEqual(Encoding.UTF8.GetBytes(interaction.UserId.Value)))
        {
            rejection = new Rejection(RejectionReasons.KeyMismatch, $"{Field.UserId} is '{interaction.UserId}', which is not the message's key");
            interaction = null;
            return false;
        }
        return true;
    }

    /// <summary>Reads the key of a tombstone: the user to forget.</summary>
    public static bool TryReadKey(ReadOnlySpan<byte> key, out UserId user, [NotNullWhen(false)] out Rejection? rejection)
    {
        string? text = JsonFields.KeyText(key, "the message's key (user_id)", out rejection);
        user = new UserId(text ?? "");
        return text is not null;
    }

    public static byte[] Key(UserId user) => Encoding.UTF8.GetBytes(user.Value);

    public static byte[] Write(InteractionEvent interaction)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        if (interaction.EventId is { } eventId) json.WriteString(Field.EventId, eventId);
        json.WriteString(Field.UserId, interaction.UserId.Value);
        json.WriteString(Field.ItemId, interaction.ItemId.Value);
        json.WriteString(Field.Type, interaction.Type);
        if (interaction.Value is { } value) json.WriteNumber(Field.Value, value);
        json.WriteNumber(Field.Timestamp, interaction.TimestampMs);
        if (interaction.SessionId is { } session) json.WriteString(Field.SessionId, session);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The record to append: key and value.</summary>
    public static LogRecord Record(InteractionEvent interaction) => new(Key(interaction.UserId), Write(interaction));

    private static InteractionEvent? Read(ref Utf8JsonReader reader, long logTimestampMs, ClockLimits clock, out Rejection? rejection)
    {
        string? eventId = null, user = null, item = null, type = null, session = null;
        double? value = null;
        long? timestamp = null;
        int seen = 0;
        rejection = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string name = reader.GetString()!;
            reader.Read();
            int bit = name switch
            {
                Field.EventId => 1, Field.UserId => 2, Field.ItemId => 4, Field.Type => 8, Field.Value => 16, Field.Timestamp => 32, Field.SessionId => 64, _ => 0,
            };
            if (bit == 0)
            {
                reader.Skip();
                continue;
            }
            if ((seen & bit) != 0) rejection = JsonFields.Invalid(name, "to occur once, it occurs twice");
            seen |= bit;
            bool absent = reader.TokenType == JsonTokenType.Null; // null says the same as leaving the field out
            if (rejection is not null) return null;
            if (absent) continue;
            switch (name)
            {
                case Field.EventId: eventId = JsonFields.IdText(ref reader, name, out rejection); break;
                case Field.UserId: user = JsonFields.IdText(ref reader, name, out rejection); break;
                case Field.ItemId: item = JsonFields.IdText(ref reader, name, out rejection); break;
                case Field.Type: type = JsonFields.Text(ref reader, name, EventLimits.MaxTypeLength, out rejection); break;
                case Field.SessionId: session = JsonFields.IdText(ref reader, name, out rejection); break;
                case Field.Timestamp: timestamp = JsonFields.Timestamp(ref reader, name, clock, out rejection); break;
                case Field.Value:
                    if (reader.TokenType != JsonTokenType.Number || !reader.TryGetDouble(out double number) || !double.IsFinite(number))
                        rejection = JsonFields.Invalid(name, "a finite number");
                    else value = number;
                    break;
            }
            if (rejection is not null) return null;
        }
        rejection = user is null ? JsonFields.Missing(Field.UserId, "the user's id")
            : item is null ? JsonFields.Missing(Field.ItemId, "the item's id")
            : type is null ? JsonFields.Missing(Field.Type, "view, click, add_to_cart, purchase, rating or a name of your own")
            : null;
        return rejection is null ? new InteractionEvent(eventId, new UserId(user!), new ItemId(item!), type!, value, timestamp ?? logTimestampMs, session) : null;
    }
}
