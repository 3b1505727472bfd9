using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Json.Schema;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed partial class PolicySchemaTests
{
    private static readonly JsonSchema Schema = JsonSchema.FromText(Written().ToJsonString());

    [Fact]
    public void The_published_schema_is_that_of_the_reader()
    {
        string published = Resource("policy.schema.json"), written = Written().ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n";
        if (Environment.GetEnvironmentVariable("BEEFORMER_WRITE_REFERENCE") is { Length: > 0 } folder) File.WriteAllText(Path.Combine(folder, "policy.schema.json"), written);
        else Assert.True(published == written, "docs/reference/policy.schema.json is stale; BEEFORMER_WRITE_REFERENCE=<checkout>/docs/reference writes it anew when this test runs.");
    }

    [Fact]
    public void Every_key_says_what_it_means() =>
        Assert.All(PolicyKey.All.Keys, key => Assert.False(string.IsNullOrWhiteSpace(Meaning(key)), key));

    /// <summary>What lies at, inside and outside the bounds of each key: JSON is YAML, so both read the same text.</summary>
    [Fact]
    public void Reader_and_schema_agree_on_every_key()
    {
        int refused = 0, accepted = 0;
        foreach (PolicyKey key in PolicyKey.All.Values)
            foreach (JsonNode? value in Samples(key.Schema))
            {
                var flat = new JsonObject { [key.Name] = value?.DeepClone() };
                bool valid = Agree(flat);
                Agree(new JsonObject { ["policy_configs"] = new JsonObject { ["scoring_policy"] = flat.DeepClone() } });
                if (valid) accepted++;
                else refused++;
            }
        Assert.True(accepted > 2 * PolicyKey.All.Count && refused > 3 * PolicyKey.All.Count, $"{accepted} accepted, {refused} refused");
    }

    [Theory]
    [InlineData("""{"policy_configs": {"embedding_policy": {"policy_type": "beeformer"}, "lr": 1}}""", false)]
    [InlineData("""{"policy_configs": {}, "lr": 0.1}""", false)]
    [InlineData("""{"learning_rate": 0.1}""", false)]
    [InlineData("""{"policy_configs": {"embedding_policy": {"policy_type": "elsa"}}}""", true)]
    [InlineData("""{}""", true)]
    public void Reader_and_schema_agree_on_the_shape(string json, bool valid) => Assert.Equal(valid, Agree(JsonNode.Parse(json)!.AsObject()));

    private static bool Agree(JsonObject policy)
    {
        string text = policy.ToJsonString();
        bool bySchema = Schema.Evaluate(JsonDocument.Parse(text).RootElement).IsValid, byReader = true;
        try
        {
            PolicyReader.Read(new StringReader(text), "policy");
        }
        catch (InvalidDataException)
        {
            byReader = false;
        }
        Assert.True(bySchema == byReader, $"{text}: the schema says {bySchema}, the reader {byReader}");
        return bySchema;
    }

    private static IEnumerable<JsonNode?> Samples(JsonObject schema)
    {
        foreach (JsonObject kind in schema["anyOf"] is JsonArray kinds ? kinds.Select(kind => kind!.AsObject()) : [schema])
        {
            foreach (string bound in new[] { "minimum", "maximum", "exclusiveMinimum" })
                if (kind[bound] is { } value)
                {
                    bool whole = (string?)kind["type"] == "integer";
                    yield return value.DeepClone();
                    foreach (int step in new[] { -1, 1 })
                        yield return whole ? JsonValue.Create((long)(int)value + step) : JsonValue.Create(Convert.ToDouble(value.ToString(), System.Globalization.CultureInfo.InvariantCulture) + step * 1e-3);
                }
            foreach (JsonNode? choice in kind["enum"] as JsonArray ?? []) yield return choice!.DeepClone();
        }
        if (schema["default"] is { } standard) yield return standard.DeepClone();
        foreach (string text in new[] { "nonsense", "cuda:1", "cpu", "cuda:x", "00:01:30", "1.02:03:04", "25:00:00", "00:61:00", "00:00:00" }) yield return text;
        if ((string?)schema["type"] != "string") yield return true; // in YAML a text, too
        yield return new JsonArray();
        yield return new JsonArray("cpu", "cuda:0");
        yield return new JsonArray("tpu");
        yield return new JsonObject { ["x"] = 1 };
    }

    private static JsonObject Written() => PolicySchema.Create(Meaning);

    /// <summary>The summary of the property that the key sets.</summary>
    private static string? Meaning(string key)
    {
        string property = key == "policy_type" ? "Type" : string.Concat(key.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
        Match found = Regex.Match(Resource("TrainingPolicy.cs"), $@"/// <summary>(?<text>((?!</summary>)[\s\S])*)</summary>\s*public [^\n]*? {property} \{{", RegexOptions.IgnoreCase);
        if (!found.Success) return null;
        string text = Cref().Replace(Slashes().Replace(found.Groups["text"].Value, " "), "$1");
        return Tag().Replace(text, "").Replace("&gt;", ">", StringComparison.Ordinal).Replace("&lt;", "<", StringComparison.Ordinal).Trim();
    }

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(PolicySchemaTests).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("""<see cref="(?:\w+\.)*(\w+)"/>""")]
    private static partial Regex Cref();

    [GeneratedRegex(@"\s*\n\s*///\s*")]
    private static partial Regex Slashes();

    [GeneratedRegex("</?c>")]
    private static partial Regex Tag();
}
