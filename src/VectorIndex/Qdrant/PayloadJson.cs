using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>JSON as values of a payload and back. Whole numbers of 64 bits stay whole, others become doubles; nothing else changes.</summary>
internal static class PayloadJson
{
    /// <summary>Below what protobuf readers allow, three messages a level.</summary>
    private const int MaxDepth = 20;

    /// <param name="what">Names the value in the refusal.</param>
    /// <exception cref="ArgumentException">A number is beyond the doubles, or the nesting too deep.</exception>
    public static Value Of(JsonElement json, string what, int depth = 0)
    {
        if (depth == MaxDepth) throw new ArgumentException($"{what} is nested deeper than {MaxDepth} levels.");
        switch (json.ValueKind)
        {
            case JsonValueKind.String: return new Value { StringValue = json.GetString() };
            case JsonValueKind.True or JsonValueKind.False: return new Value { BoolValue = json.GetBoolean() };
            case JsonValueKind.Number when json.TryGetInt64(out long integer): return new Value { IntegerValue = integer };
            case JsonValueKind.Number:
                double number = json.GetDouble();
                return double.IsFinite(number) ? new Value { DoubleValue = number } : throw new ArgumentException($"{what} holds {json.GetRawText()}; expected a finite number.");
            case JsonValueKind.Array:
                var list = new ListValue();
                foreach (var element in json.EnumerateArray()) list.Values.Add(Of(element, what, depth + 1));
                return new Value { ListValue = list };
            case JsonValueKind.Object:
                var fields = new Struct();
                foreach (var property in json.EnumerateObject()) fields.Fields[property.Name] = Of(property.Value, what, depth + 1);
                return new Value { StructValue = fields };
            default: return new Value { NullValue = NullValue.NullValue };
        }
    }

    public static JsonElement Element(Value value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer)) Write(writer, value);
        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    private static void Write(Utf8JsonWriter writer, Value value)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.StringValue: writer.WriteStringValue(value.StringValue); break;
            case Value.KindOneofCase.BoolValue: writer.WriteBooleanValue(value.BoolValue); break;
            case Value.KindOneofCase.IntegerValue: writer.WriteNumberValue(value.IntegerValue); break;
            case Value.KindOneofCase.DoubleValue: writer.WriteRawValue(Text(value.DoubleValue)); break;
            case Value.KindOneofCase.ListValue:
                writer.WriteStartArray();
                foreach (var element in value.ListValue.Values) Write(writer, element);
                writer.WriteEndArray();
                break;
            case Value.KindOneofCase.StructValue:
                writer.WriteStartObject();
                foreach (var (name, field) in value.StructValue.Fields)
                {
                    writer.WritePropertyName(name);
                    Write(writer, field);
                }
                writer.WriteEndObject();
                break;
            default: writer.WriteNullValue(); break;
        }
    }

    /// <summary>A double stays one: 5.0, not 5.</summary>
    private static string Text(double number)
    {
        string text = number.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text;
    }
}
