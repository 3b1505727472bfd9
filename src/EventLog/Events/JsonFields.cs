using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>Values of event fields, each with the sentence that says what is wrong with it.</summary>
internal static class JsonFields
{
    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = EventLimits.MaxDepth };

    public static Rejection Invalid(string field, string expected) => new(RejectionReasons.InvalidField, $"{Shortened(field)}: expected {expected}");

    /// <summary>Text from outside may be of any length: a name of a field, or what the JSON reader repeats of a literal that is none.</summary>
    public static string Shortened(string text, int most = 100) =>
        text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)] + "…";

    public static Rejection Missing(string field, string expected) => new(RejectionReasons.MissingField, $"{field} is missing; expected {expected}");

    /// <summary>Runs a parser over hostile bytes: whatever they are, an event or a rejection comes back.</summary>
    public static bool TryParse<T>(ReadOnlySpan<byte> json, JsonParser<T> parse, [NotNullWhen(true)] out T? parsed, [NotNullWhen(false)] out Rejection? rejection) where T : class
    {
        var result = new Parsed<T>(parse);
        rejection = Guarded(json, result, ClockLimits.None, static (ref Utf8JsonReader reader, Parsed<T> target, ClockLimits _) =>
        {
            target.Value = target.Parse(ref reader, out var problem);
            return problem;
        });
        parsed = rejection is null ? result.Value : null;
        if (parsed is null) rejection ??= new Rejection(RejectionReasons.InvalidJson, "the event is empty");
        return parsed is not null;
    }

    private sealed class Parsed<T>(JsonParser<T> parse) where T : class
    {
        public JsonParser<T> Parse { get; } = parse;
        public T? Value { get; set; }
    }

    /// <summary>Runs <paramref name="read"/> over the fields of a hostile JSON object; null when it and nothing else was there.</summary>
    public static Rejection? Guarded<T>(ReadOnlySpan<byte> json, T target, ClockLimits clock, FieldsReader<T> read)
    {
        if (json.Length > EventLimits.MaxJsonBytes)
            return new Rejection(RejectionReasons.InvalidJson, $"the event has {json.Length} bytes; at most {EventLimits.MaxJsonBytes} are allowed");
        try
        {
            var reader = new Utf8JsonReader(json, ReaderOptions);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return new Rejection(RejectionReasons.InvalidJson, "the event is no JSON object");
            if (read(ref reader, target, clock) is { } rejection) return rejection;
            return reader.Read() ? new Rejection(RejectionReasons.InvalidJson, "text follows the event's JSON object") : null;
        }
        catch (JsonException e)
        {
            return new Rejection(RejectionReasons.InvalidJson, $"the event is no valid JSON: {Shortened(e.Message, 200)}" + (e.Message.Length > 200 ? $" (byte {e.BytePositionInLine})" : ""));
        }
        catch (InvalidOperationException)
        {
            // How the reader reports bytes or escapes that are no Unicode text.
            return new Rejection(RejectionReasons.InvalidJson, "the event holds text that is no valid UTF-8");
        }
    }

    /// <summary>A string of 1 to <paramref name="maxLength"/> characters; null with a rejection otherwise.</summary>
    public static string? Text(ref Utf8JsonReader reader, string field, int maxLength, out Rejection? rejection, bool mayBeEmpty = false)
    {
        rejection = null;
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        if (text is null) rejection = Invalid(field, "a string");
        else if (text.Length == 0 && !mayBeEmpty) rejection = Invalid(field, $"1 to {maxLength} characters, got none");
        else if (text.Length > maxLength) rejection = Invalid(field, $"at most {maxLength} characters, got {text.Length}");
        return rejection is null ? text : null;
    }

    public static string? IdText(ref Utf8JsonReader reader, string field, out Rejection? rejection)
    {
        rejection = null;
        if (reader.TokenType != JsonTokenType.String)
        {
            rejection = Invalid(field, $"a string of 1 to {Contracts.Id.MaxBytes} bytes");
            return null;
        }
        string id = reader.GetString()!;
        if (Contracts.Id.Problem(field, id) is not { } problem) return id;
        rejection = new Rejection(id.Length == 0 ? RejectionReasons.MissingField : RejectionReasons.InvalidField, problem);
        return null;
    }

    /// <summary>ISO 8601 (without an offset: UTC) or milliseconds since 1970, as a number or as digits in a string.</summary>
    public static long Timestamp(ref Utf8JsonReader reader, string field, ClockLimits clock, out Rejection? rejection)
    {
        rejection = null;
        long? ms = reader.TokenType switch
        {
            JsonTokenType.Number when reader.TryGetInt64(out long whole) => whole,
            JsonTokenType.Number when reader.TryGetDouble(out double number) && double.IsFinite(number) && Math.Abs(number) < 1e17 => (long)number,
            // The usual form without a string for each event; the rest, and what that form does not know, as text.
            JsonTokenType.String when reader.ValueSpan is [.., (byte)'Z'] && reader.TryGetDateTimeOffset(out var utc) => utc.ToUnixTimeMilliseconds(),
            JsonTokenType.String => FromText(reader.GetString()!),
            _ => null,
        };
        const string Expected = "ISO 8601 (2026-01-31T12:00:00Z) or milliseconds since 1970";
        if (ms is not { } time) rejection = Invalid(field, Expected);
        else if (time < EventLimits.MinTimestampMs) rejection = Invalid(field, $"a time after 1900, got {time}");
        else if (time > clock.LatestMs) rejection = new Rejection(RejectionReasons.FutureTimestamp, $"{field}: {time} lies {time - clock.LatestMs} ms beyond the newest time accepted; expected {Expected}");
        return ms ?? 0;
    }

    /// <summary>The key when it is text; null otherwise.</summary>
    public static string? KeyText(ReadOnlySpan<byte> key, string field, out Rejection? rejection)
    {
        rejection = null;
        try
        {
            string text = StrictUtf8.GetString(key);
            if (Contracts.Id.Problem(field, text) is not { } problem) return text;
            rejection = new Rejection(RejectionReasons.InvalidField, problem);
        }
        catch (DecoderFallbackException)
        {
            rejection = Invalid(field, "valid UTF-8");
        }
        return null;
    }

    public static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private static long? FromText(string text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long ms) ? ms : FromIso(text);

    /// <summary>Null: it is no time in ISO 8601.</summary>
    public static long? FromIso(string text)
    {
        bool iso = text.Length is >= 10 and <= 40 && text[4] == '-' && text[7] == '-' && char.IsAsciiDigit(text[0]);
        return iso && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time.ToUnixTimeMilliseconds()
            : null;
    }
}

/// <summary>Reads an object's fields into its target; the reader stands on the object's first brace and is left on its last.</summary>
internal delegate Rejection? FieldsReader<T>(ref Utf8JsonReader reader, T target, ClockLimits clock);

/// <summary>Reads an object's fields; the reader stands on its first brace and is left on its last.</summary>
internal delegate T? JsonParser<T>(ref Utf8JsonReader reader, out Rejection? rejection);
