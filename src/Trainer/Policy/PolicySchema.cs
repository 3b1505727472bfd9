using System.Text.Json.Nodes;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The policy file as a JSON schema (draft 2020-12), for editors and for checks before a deployment; made of the same table that the reader goes by.</summary>
public static class PolicySchema
{
    /// <param name="describe">What a key means, by its name; null: nothing is said.</param>
    public static JsonObject Create(Func<string, string?> describe)
    {
        var properties = new JsonObject();
        foreach (PolicyKey key in PolicyKey.All.Values)
        {
            JsonObject schema = key.Schema.DeepClone().AsObject();
            if (describe(key.Name) is { } meaning) schema.Insert(0, "description", meaning);
            properties[key.Name] = schema;
        }
        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "BeeFormer.Streaming policy",
            ["oneOf"] = new JsonArray(Reference(), Object(new JsonObject { ["policy_configs"] = Object(new JsonObject { ["embedding_policy"] = Reference(), ["scoring_policy"] = Reference() }) }, required: "policy_configs")),
            ["$defs"] = new JsonObject { ["policy"] = Object(properties) },
        };
    }

    private static JsonObject Reference() => new() { ["$ref"] = "#/$defs/policy" };

    private static JsonObject Object(JsonObject properties, string? required = null)
    {
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (required is not null) schema["required"] = new JsonArray(required);
        return schema;
    }
}
