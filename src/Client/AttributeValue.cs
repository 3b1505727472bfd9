using System.Text.Json;
using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.Client;

/// <summary>A text, a number, a boolean, or a list of texts; converts from each of them. Types are strict: the text <c>5</c> never equals the number.</summary>
[JsonConverter(typeof(Json))]
public sealed class AttributeValue
{
    private readonly object _value;

    private AttributeValue(object value) => _value = value;

    /// <summary>A text.</summary>
    public static AttributeValue From(string text) => new(text ?? throw new ArgumentNullException(nameof(text)));

    /// <summary>A number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not finite.</exception>
    public static AttributeValue From(double number) =>
        double.IsFinite(number) ? new(number) : throw new ArgumentOutOfRangeException(nameof(number), number, $"{number} is no value of an attribute; expected a finite number.");

    /// <summary>A boolean.</summary>
    public static AttributeValue From(bool flag) => new(flag);

    /// <summary>A list of texts.</summary>
    public static AttributeValue From(IReadOnlyList<string> texts) => new(texts ?? throw new ArgumentNullException(nameof(texts)));

    /// <inheritdoc cref="From(string)"/>
    public static implicit operator AttributeValue(string text) => From(text);

    /// <inheritdoc cref="From(double)"/>
    public static implicit operator AttributeValue(double number) => From(number);

    /// <inheritdoc cref="From(bool)"/>
    public static implicit operator AttributeValue(bool flag) => From(flag);

    /// <inheritdoc cref="From(IReadOnlyList{string})"/>
    public static implicit operator AttributeValue(string[] texts) => From(texts);

    internal sealed class Json : JsonConverter<AttributeValue>
    {
        public override void Write(Utf8JsonWriter writer, AttributeValue value, JsonSerializerOptions options)
        {
            switch (value._value)
            {
                case string text: writer.WriteStringValue(text); break;
                case double number: writer.WriteNumberValue(number); break;
                case bool flag: writer.WriteBooleanValue(flag); break;
                case IReadOnlyList<string> texts:
                    writer.WriteStartArray();
                    foreach (string text in texts) writer.WriteStringValue(text);
                    writer.WriteEndArray();
                    break;
            }
        }

        public override AttributeValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException("No answer holds attributes.");
    }
}
