using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>An item event as it stands in the <c>event</c> column: the wire's field names, all fields present. Frozen names; may grow.</summary>
internal static class ItemJson
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(ItemEvent item)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            json.WriteString("item_id", item.ItemId.Value);
            json.WriteString("title", item.Title);
            json.WriteString("description", item.Description);
            json.WriteStartObject("attributes");
            foreach (var (name, value) in item.Attributes)
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
            json.WriteEndObject();
            json.WriteString("image_url", item.ImageUrl);
            json.WriteBoolean("available", item.Available);
            json.WriteNumber("updated_at", item.UpdatedAtMs);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static ItemEvent Read(string text) => Read(Encoding.UTF8.GetBytes(text));

    public static ItemEvent Read(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonDocument.Parse(utf8);
        var root = document.RootElement;
        var attributes = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        // One copy of all of them: one each would cost more than everything else here.
        var given = root.GetProperty("attributes");
        if (given.EnumerateObject().MoveNext())
            foreach (var attribute in given.Clone().EnumerateObject()) attributes[attribute.Name] = attribute.Value;
        return new ItemEvent(
            new ItemId(root.GetProperty("item_id").GetString()!), root.GetProperty("title").GetString()!, root.GetProperty("description").GetString(),
            attributes, root.GetProperty("image_url").GetString(), root.GetProperty("available").GetBoolean(), root.GetProperty("updated_at").GetInt64());
    }
}
