using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>
/// The topic <c>dead-letters</c> on the wire. The key names where the original stood first (<see cref="LogPlace"/>): the same message
/// dead-lettered twice has one identity, and a listing keeps one.
/// </summary>
public static class DeadLetterJson
{
    // Beside the headers' share in the room that a log leaves for letters: it grows like base64 does.
    private const int HeaderRoom = 4096;

    /// <summary>The letter about a message that cannot be read. One that came back from here has the identity and the time that it had.</summary>
    public static DeadLetter Of(string topic, in LogMessage message, Rejection rejection)
    {
        var place = LogPlace.FirstOf(topic, message);
        return new DeadLetter(
            rejection.Reason, rejection.Message, place.Topic, place.Partition, place.Offset, message.Key.ToArray(), message.Value?.ToArray(), LogHeaders.FirstTimeMs(message),
            message.Headers is { Count: > 0 } headers ? [.. headers.Select(header => new DeadLetterHeader(header.Name, header.Value.ToArray()))] : null);
    }

    public static string Identity(DeadLetter letter) => Place(letter).ToString();

    public static LogPlace Place(DeadLetter letter) => new(letter.Topic, letter.Partition, letter.Offset);

    public static LogRecord Record(DeadLetter letter) => new(Encoding.UTF8.GetBytes(Identity(letter)), Write(letter));

    public static byte[] Write(DeadLetter letter)
    {
        var (headers, leftOut) = Headers(letter.Headers);
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("reason", letter.Reason);
        json.WriteString("message", leftOut == 0 ? letter.Message : string.Create(CultureInfo.InvariantCulture, $"{letter.Message} (its {leftOut} headers were too long to be kept)"));
        json.WriteString("topic", letter.Topic);
        json.WriteNumber("partition", letter.Partition);
        json.WriteNumber("offset", letter.Offset);
        if (letter.Key is { } key) json.WriteBase64String("key", key);
        if (letter.Value is { } value) json.WriteBase64String("value", value);
        json.WriteNumber("timestamp", letter.TimestampMs);
        if (headers.Length > 0)
        {
            json.WritePropertyName("headers");
            json.WriteRawValue(headers, skipInputValidation: true);
        }
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>False when the bytes are no dead letter.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> value, [NotNullWhen(true)] out DeadLetter? letter)
    {
        letter = null;
        try
        {
            using var document = JsonDocument.Parse(value, new JsonDocumentOptions { MaxDepth = EventLimits.MaxDepth });
            var root = document.RootElement;
            letter = new DeadLetter(
                root.GetProperty("reason").GetString()!, root.GetProperty("message").GetString()!, root.GetProperty("topic").GetString()!,
                root.GetProperty("partition").GetInt32(), root.GetProperty("offset").GetInt64(),
                root.TryGetProperty("key", out var key) ? key.GetBytesFromBase64() : null,
                root.TryGetProperty("value", out var bytes) ? bytes.GetBytesFromBase64() : null,
                root.GetProperty("timestamp").GetInt64(),
                root.TryGetProperty("headers", out var headers)
                    ? [.. headers.EnumerateArray().Select(header => new DeadLetterHeader(header.GetProperty("name").GetString()!, header.GetProperty("value").GetBytesFromBase64()))]
                    : null);
            return letter is { Reason: not null, Message: not null, Topic: not null } && letter.Headers?.Any(header => header.Name is null) is not true;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    // Names cannot be packed like values: hundreds of headers, or names made of control characters, could make a letter that no log takes.
    private static (byte[] Json, int LeftOut) Headers(IReadOnlyList<DeadLetterHeader>? headers)
    {
        if (headers is not { Count: > 0 }) return ([], 0);
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer);
        long raw = 0;
        json.WriteStartArray();
        foreach (var header in headers)
        {
            raw += Encoding.UTF8.GetByteCount(header.Name) + header.Value.Length;
            json.WriteStartObject();
            json.WriteString("name", header.Name);
            json.WriteBase64String("value", header.Value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.Flush();
        return buffer.WrittenCount <= HeaderRoom + raw * 4 / 3 ? (buffer.WrittenSpan.ToArray(), 0) : ([], headers.Count);
    }
}
