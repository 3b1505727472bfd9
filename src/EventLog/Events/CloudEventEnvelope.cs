using System.Text.Json;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>A CloudEvent in structured mode: attributes and data in one JSON object.</summary>
internal sealed class CloudEventEnvelope
{
    private static class Field
    {
        public const string Data = "data", DataBase64 = "data_base64";
    }

    private (int Start, int Length)? _data; // in the envelope's bytes
    private byte[]? _decoded;

    public CloudEventAttributes Attributes { get; } = new();

    public static bool IsOne(ReadOnlySpan<byte> json) =>
        JsonFields.TryParse(json, (ref Utf8JsonReader reader, out Rejection? problem) =>
        {
            problem = null;
            bool versioned = false;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            {
                versioned |= reader.ValueTextEquals(CloudEventAttributes.SpecVersionName);
                if (reader.ValueTextEquals("user_id") || reader.ValueTextEquals("item_id")) return null;
                reader.Read();
                reader.Skip();
            }
            return versioned ? new object() : null;
        }, out _, out _);

    /// <summary>Extension attributes are passed over.</summary>
    public static CloudEventEnvelope? Read(ref Utf8JsonReader reader, out Rejection? rejection)
    {
        var envelope = new CloudEventEnvelope();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        rejection = null;
        while (rejection is null && reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (!seen.Add(name)) rejection = JsonFields.Invalid(name, "to occur once, it occurs twice");
            else if (reader.TokenType == JsonTokenType.Null) continue; // the same as leaving the attribute out
            else if (name == Field.Data)
            {
                int start = (int)reader.TokenStartIndex;
                if (reader.TokenType != JsonTokenType.StartObject) rejection = JsonFields.Invalid(name, "the event as an object");
                reader.Skip();
                envelope._data = (start, (int)reader.BytesConsumed - start);
            }
            else if (name == Field.DataBase64)
            {
                if (reader.TokenType != JsonTokenType.String || !reader.TryGetBytesFromBase64(out envelope._decoded)) rejection = JsonFields.Invalid(name, "the event's JSON in base64");
            }
            else if (!CloudEventAttributes.IsOne(name)) reader.Skip();
            else if (reader.TokenType != JsonTokenType.String) rejection = JsonFields.Invalid(name, "a string");
            else envelope.Attributes[name] = reader.GetString();
        }
        return rejection is null ? envelope : null;
    }

    public ReadOnlyMemory<byte>? Data(ReadOnlyMemory<byte> envelope, out Rejection? rejection)
    {
        rejection = _data is null && _decoded is null ? JsonFields.Missing(Field.Data, "the event as an object")
            : _data is not null && _decoded is not null ? JsonFields.Invalid(Field.DataBase64, $"either it or {Field.Data}, got both")
            : null;
        if (rejection is not null) return null;
        return _data is { } at ? envelope.Slice(at.Start, at.Length) : _decoded;
    }
}
