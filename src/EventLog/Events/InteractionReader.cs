using System.Text;
using System.Text.Json;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>
/// Reads interactions straight from their UTF-8, one after the other, without making an object for any: what was read stands in the properties until the next one is read.
/// Not for two threads at once.
/// </summary>
public sealed class InteractionReader
{
    /// <summary>Ids, and the type: 64 characters are at most this long, too.</summary>
    private const int FieldBytes = Contracts.Id.MaxBytes;

    private enum Field { EventId, UserId, ItemId, Type, SessionId, Value, Timestamp }

    private readonly byte[] _text = new byte[5 * FieldBytes];
    private readonly int[] _length = new int[5];

    /// <summary>Empty: the producer gave none.</summary>
    public ReadOnlySpan<byte> EventId => Text(Field.EventId);
    public ReadOnlySpan<byte> UserId => Text(Field.UserId);
    public ReadOnlySpan<byte> ItemId => Text(Field.ItemId);
    public ReadOnlySpan<byte> Type => Text(Field.Type);
    /// <summary>Empty: none.</summary>
    public ReadOnlySpan<byte> SessionId => Text(Field.SessionId);
    public double? Value { get; private set; }
    /// <summary>Event time, UTC milliseconds.</summary>
    public long TimestampMs { get; private set; }

    /// <summary>Reads one event. Never throws on bad bytes: they give a rejection.</summary>
    /// <param name="key">The message's key: the user id. Empty: not checked (an event at the HTTP edge has none yet).</param>
    /// <param name="logTimestampMs">The event's time when it names none.</param>
    /// <returns>Null when the event stands in the properties, else why not.</returns>
    public Rejection? Read(ReadOnlySpan<byte> key, ReadOnlySpan<byte> json, long logTimestampMs, ClockLimits clock)
    {
        Array.Clear(_length);
        (Value, TimestampMs) = (null, logTimestampMs);
        if (JsonFields.Guarded(json, this, clock, static (ref Utf8JsonReader reader, InteractionReader self, ClockLimits limits) => self.ReadFields(ref reader, limits)) is { } rejection) return rejection;
        return key.IsEmpty || key.SequenceEqual(UserId) ? null
            : new Rejection(RejectionReasons.KeyMismatch, $"{InteractionJson.Field.UserId} is '{Encoding.UTF8.GetString(UserId)}', which is not the message's key");
    }

    private ReadOnlySpan<byte> Text(Field field) => _text.AsSpan((int)field * FieldBytes, _length[(int)field]);

    private Rejection? ReadFields(ref Utf8JsonReader reader, ClockLimits clock)
    {
        int seen = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            if (Known(ref reader) is not { } field)
            {
                reader.Read();
                reader.Skip();
                continue;
            }
            reader.Read();
            if ((seen & 1 << (int)field) != 0) return JsonFields.Invalid(Name(field), "to occur once, it occurs twice");
            seen |= 1 << (int)field;
            if (reader.TokenType == JsonTokenType.Null) continue; // the same as leaving the field out
            if (ReadField(ref reader, field, clock) is { } rejection) return rejection;
        }
        return UserId.IsEmpty ? JsonFields.Missing(Name(Field.UserId), "the user's id")
            : ItemId.IsEmpty ? JsonFields.Missing(Name(Field.ItemId), "the item's id")
            : Type.IsEmpty ? JsonFields.Missing(Name(Field.Type), "view, click, add_to_cart, purchase, rating or a name of your own")
            : null;
    }

    private Rejection? ReadField(ref Utf8JsonReader reader, Field field, ClockLimits clock)
    {
        switch (field)
        {
            case Field.Value:
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetDouble(out double number) || !double.IsFinite(number)) return JsonFields.Invalid(Name(field), "a finite number");
                Value = number;
                return null;
            case Field.Timestamp:
                TimestampMs = JsonFields.Timestamp(ref reader, Name(field), clock, out var rejection);
                return rejection;
            case Field.Type:
                return ReadType(ref reader);
            default:
                return ReadId(ref reader, field);
        }
    }

    private Rejection? ReadId(ref Utf8JsonReader reader, Field field)
    {
        if (reader.TokenType != JsonTokenType.String) return JsonFields.Invalid(Name(field), $"a string of 1 to {FieldBytes} bytes");
        if (TryCopy(ref reader, field)) return _length[(int)field] > 0 ? null : new Rejection(RejectionReasons.MissingField, Contracts.Id.Problem(Name(field), "")!);
        return new Rejection(RejectionReasons.InvalidField, Contracts.Id.Problem(Name(field), reader.GetString())!);
    }

    private Rejection? ReadType(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String && TryCopy(ref reader, Field.Type) && _length[(int)Field.Type] is > 0 and <= EventLimits.MaxTypeLength) return null; // no more characters than bytes
        JsonFields.Text(ref reader, Name(Field.Type), EventLimits.MaxTypeLength, out var rejection);
        return rejection;
    }

    /// <summary>False: the text has more bytes than a field may have.</summary>
    private bool TryCopy(ref Utf8JsonReader reader, Field field)
    {
        if (reader.ValueSpan.Length > FieldBytes && (!reader.ValueIsEscaped || Encoding.UTF8.GetByteCount(reader.GetString()!) > FieldBytes)) return Refuse(ref reader);
        _length[(int)field] = reader.CopyString(_text.AsSpan((int)field * FieldBytes, FieldBytes));
        return true;

        static bool Refuse(ref Utf8JsonReader reader)
        {
            reader.GetString(); // text that is no UTF-8 is refused as such, whatever its length
            return false;
        }
    }

    private static Field? Known(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("user_id"u8) ? Field.UserId
        : reader.ValueTextEquals("item_id"u8) ? Field.ItemId
        : reader.ValueTextEquals("type"u8) ? Field.Type
        : reader.ValueTextEquals("timestamp"u8) ? Field.Timestamp
        : reader.ValueTextEquals("event_id"u8) ? Field.EventId
        : reader.ValueTextEquals("value"u8) ? Field.Value
        : reader.ValueTextEquals("session_id"u8) ? Field.SessionId
        : null;

    private static string Name(Field field) => field switch
    {
        Field.EventId => InteractionJson.Field.EventId,
        Field.UserId => InteractionJson.Field.UserId,
        Field.ItemId => InteractionJson.Field.ItemId,
        Field.Type => InteractionJson.Field.Type,
        Field.SessionId => InteractionJson.Field.SessionId,
        Field.Value => InteractionJson.Field.Value,
        _ => InteractionJson.Field.Timestamp,
    };
}
