using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>
/// The topic <c>dead-letters</c> on the wire. The key names where the original lies (<c>topic/partition/offset</c>): the same message
/// dead-lettered twice has one identity, and a listing keeps one.
/// </summary>
public static class DeadLetterJson
{
    public static string Identity(DeadLetter letter) => $"{letter.Topic}/{letter.Partition}/{letter.Offset}";

    public static LogRecord Record(DeadLetter letter) => new(Encoding.UTF8.GetBytes(Identity(letter)), Write(letter));

    public static byte[] Write(DeadLetter letter)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("reason", letter.Reason);
        json.WriteString("message", letter.Message);
        json.WriteString("topic", letter.Topic);
        json.WriteNumber("partition", letter.Partition);
        json.WriteNumber("offset", letter.Offset);
        if (letter.Key is { } key) json.WriteBase64String("key", key);
        if (letter.Value is { } value) json.WriteBase64String("value", value);
        json.WriteNumber("timestamp", letter.TimestampMs);
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
                root.GetProperty("timestamp").GetInt64());
            return letter is { Reason: not null, Message: not null, Topic: not null };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }
}
