using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace BeeFormer.Streaming.Deployment.Tests;

/// <summary>YAML as JSON, with merges (<c>&lt;&lt;</c>) done and scalars as the types that they look like.</summary>
internal static class Yaml
{
    public static JsonNode Read(string text) =>
        Json(new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize(new MergingParser(new Parser(new StringReader(text)))))!;

    private static JsonNode? Json(object? value) => value switch
    {
        null => null,
        IDictionary entries => new JsonObject(entries.Keys.Cast<object>().Select(key => KeyValuePair.Create(key.ToString()!, Json(entries[key])))),
        string text => JsonValue.Create(text),
        IEnumerable list => new JsonArray([.. list.Cast<object?>().Select(Json)]),
        _ => JsonSerializer.SerializeToNode(value),
    };
}
