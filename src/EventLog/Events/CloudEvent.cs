using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>Fields of an event that a CloudEvent's attributes stand in for where its data lacks them. Null: none does.</summary>
/// <param name="Id">From <c>source</c> and <c>id</c>.</param>
/// <param name="Type">From the last part of <c>type</c>.</param>
/// <param name="Time">From <c>time</c>.</param>
internal readonly record struct CloudEventFields(string? Id, string? Type, string Time);

/// <summary>
/// CloudEvents 1.0 in both modes of the Kafka binding: <c>binary</c> (headers <c>ce_…</c>, the value is the data) and <c>structured</c> (the value is the envelope). Opening one gives the plain event
/// that it stands for, to be read like any other.
/// </summary>
internal static class CloudEvent
{
    /// <summary>Names of headers of this binding.</summary>
    public const string ContentType = "content-type", Prefix = "ce_";
    /// <summary>Media type of the structured mode, parameters aside.</summary>
    public const string Structured = "application/cloudevents+json";

    private const string AnyStructured = "application/cloudevents";

    /// <summary>Opens what the headers announce. A look at the headers is all that a plain event pays.</summary>
    /// <param name="plain">The plain event; null: the rejection says why not.</param>
    /// <returns>False: they announce no CloudEvent; nothing was read.</returns>
    public static bool TryOpen(IReadOnlyList<LogHeader>? headers, ReadOnlyMemory<byte> value, CloudEventFields fields, out byte[]? plain, out Rejection? rejection)
    {
        (plain, rejection) = (null, null);
        if (headers is not { Count: > 0 }) return false;
        if (CloudEventAttributes.Text(headers, ContentType, out _) is { } type && MediaType(type) is var media && media.StartsWith(AnyStructured, StringComparison.OrdinalIgnoreCase))
        {
            if (media.Equals(Structured, StringComparison.OrdinalIgnoreCase)) plain = OpenStructured(value, fields, out rejection);
            else rejection = JsonFields.Invalid(ContentType, $"{Structured}, one event a message, got {JsonFields.Shortened(media)}");
            return true;
        }
        if (!headers.Any(header => header.Name is "ce_specversion" or "ce_id" or "ce_source" or "ce_type")) return false;
        if (CloudEventAttributes.OfHeaders(headers, out rejection) is { } attributes) plain = Plain(value, attributes, fields, out rejection);
        return true;
    }

    /// <summary>
    /// Opens an envelope that no header announces: an object with <c>specversion</c> and without our ids, whose names no attribute of CloudEvents can have. Asked only after the value
    /// could not be read as a plain event.
    /// </summary>
    /// <param name="rejection">Why it is no plain event; stays so when it is no CloudEvent either.</param>
    public static bool TryOpenUnannounced(ReadOnlyMemory<byte> value, CloudEventFields fields, out byte[]? plain, [NotNull] ref Rejection? rejection)
    {
        rejection ??= new Rejection(RejectionReasons.InvalidJson, "the event is empty");
        plain = null;
        if (!CloudEventEnvelope.IsOne(value.Span)) return false;
        plain = OpenStructured(value, fields, out var problem);
        rejection = problem ?? rejection;
        return true;
    }

    /// <summary>A media type without its parameters.</summary>
    public static string MediaType(string contentType) => contentType.Split(';')[0].Trim();

    private static byte[]? OpenStructured(ReadOnlyMemory<byte> value, CloudEventFields fields, out Rejection? rejection) =>
        JsonFields.TryParse(value.Span, CloudEventEnvelope.Read, out var envelope, out rejection)
        && envelope.Attributes.Check(out rejection)
        && envelope.Data(value, out rejection) is { } data
            ? Plain(data, envelope.Attributes, fields, out rejection)
            : null;

    /// <summary>The data with the fields that it lacks; a field that is null is lacking.</summary>
    private static byte[]? Plain(ReadOnlyMemory<byte> data, CloudEventAttributes attributes, CloudEventFields fields, out Rejection? rejection) =>
        JsonFields.TryParse(data.Span, (ref Utf8JsonReader reader, out Rejection? problem) => Complete(ref reader, data.Span, attributes, fields, out problem), out var plain, out rejection) ? plain : null;

    private static byte[]? Complete(ref Utf8JsonReader reader, ReadOnlySpan<byte> data, CloudEventAttributes attributes, CloudEventFields fields, out Rejection? rejection)
    {
        var plain = new ArrayBufferWriter<byte>(data.Length + 256);
        plain.Write("{"u8);
        bool id = fields.Id is not null, type = fields.Type is not null, time = true; // what is to be added
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            int start = (int)reader.TokenStartIndex;
            bool isId = fields.Id is not null && reader.ValueTextEquals(fields.Id), isType = fields.Type is not null && reader.ValueTextEquals(fields.Type), isTime = reader.ValueTextEquals(fields.Time);
            reader.Read();
            if ((isId || isType || isTime) && reader.TokenType == JsonTokenType.Null) continue;
            (id, type, time) = (id && !isId, type && !isType, time && !isTime);
            reader.Skip();
            Separate(plain);
            plain.Write(data[start..(int)reader.BytesConsumed]);
        }
        rejection = null;
        if (id) Add(plain, fields.Id!, attributes.EventId(out rejection));
        if (rejection is null && type) Add(plain, fields.Type!, attributes.EventType(out rejection));
        if (rejection is null && time) Add(plain, fields.Time, attributes.TimeMs(out rejection));
        plain.Write("}"u8);
        return rejection is null ? plain.WrittenSpan.ToArray() : null;
    }

    private static void Add<T>(ArrayBufferWriter<byte> plain, string name, T? value)
    {
        if (value is null) return;
        Separate(plain);
        plain.Write(JsonSerializer.SerializeToUtf8Bytes(name));
        plain.Write(":"u8);
        plain.Write(JsonSerializer.SerializeToUtf8Bytes(value));
    }

    private static void Separate(ArrayBufferWriter<byte> plain)
    {
        if (plain.WrittenCount > 1) plain.Write(","u8);
    }
}
