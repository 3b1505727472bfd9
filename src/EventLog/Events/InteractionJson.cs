using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>The topic <c>interactions</c> on the wire; field names never change.</summary>
public static class InteractionJson
{
    internal static class Field
    {
        public const string EventId = "event_id", UserId = "user_id", ItemId = "item_id", Type = "type", Value = "value", Timestamp = "timestamp", SessionId = "session_id";
    }

    [ThreadStatic]
    private static InteractionReader? t_reader;

    /// <summary>Reads one event. Never throws on bad bytes: they give a rejection.</summary>
    /// <param name="key">The message's key: the user id. Empty: not checked (an event at the HTTP edge has none yet).</param>
    /// <param name="logTimestampMs">The event's time when it names none.</param>
    public static bool TryRead(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long logTimestampMs, ClockLimits clock,
        [NotNullWhen(true)] out InteractionEvent? interaction, [NotNullWhen(false)] out Rejection? rejection)
    {
        var reader = t_reader ??= new InteractionReader();
        rejection = reader.Read(key, value, logTimestampMs, clock);
        interaction = rejection is null ? EventOf(reader) : null;
        return interaction is not null;
    }

    /// <summary>What stands in the reader.</summary>
    internal static InteractionEvent EventOf(InteractionReader reader) => new(
        TextOf(reader.EventId), new UserId(TextOf(reader.UserId)!), new ItemId(TextOf(reader.ItemId)!), TextOf(reader.Type)!, reader.Value, reader.TimestampMs, TextOf(reader.SessionId));

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

    private static string? TextOf(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? null : Encoding.UTF8.GetString(utf8);
}
