using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>What manifests and refusals have in common on disk.</summary>
internal static class ModelJson
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Bytes(JsonObject json) => JsonSerializer.SerializeToUtf8Bytes(json, Readable);

    /// <exception cref="InvalidDataException">Names the file and what is wrong with it.</exception>
    public static T Read<T>(string file, Func<JsonObject, T> read)
    {
        try
        {
            return read(JsonNode.Parse(File.ReadAllBytes(file)) as JsonObject ?? throw new FormatException("it is not a JSON object."));
        }
        catch (Exception damage) when (damage is JsonException or FormatException or InvalidOperationException or FileNotFoundException)
        {
            throw new InvalidDataException($"{file} is damaged: {damage.Message} Expected the JSON object that the model store wrote.", damage);
        }
    }

    public static T Required<T>(JsonObject json, string name) =>
        json[name] is { } value ? value.GetValue<T>() : throw new FormatException($"field \"{name}\" is missing.");

    public static JsonObject Object(JsonObject json, string name) =>
        json[name] is JsonObject value ? (JsonObject)value.DeepClone() : throw new FormatException($"field \"{name}\" is missing or not an object.");

    /// <summary>Positions by partition.</summary>
    public static JsonObject Offsets(IReadOnlyDictionary<int, long> offsets) => new(offsets.OrderBy(p => p.Key)
        .Select(p => KeyValuePair.Create<string, JsonNode?>(p.Key.ToString(CultureInfo.InvariantCulture), JsonValue.Create(p.Value))));

    public static Dictionary<int, long> Offsets(JsonObject json, string name) =>
        Object(json, name).ToDictionary(p => int.Parse(p.Key, CultureInfo.InvariantCulture), p => p.Value!.GetValue<long>());

    public static DateTimeOffset Time(JsonObject json, string name) =>
        DateTimeOffset.Parse(Required<string>(json, name), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);

    public static ModelVersion? Version(JsonObject json, string name) => json[name] is { } value ? new ModelVersion(value.GetValue<string>()) : null;

    public static string Text(DateTimeOffset time) => time.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture);
}

/// <summary><c>manifest.json</c>. Frozen names; may grow.</summary>
internal static class ManifestJson
{
    public static byte[] Write(ModelManifest manifest) => ModelJson.Bytes(new JsonObject
    {
        ["version"] = manifest.Version.Value,
        ["published_at"] = ModelJson.Text(manifest.PublishedAt),
        ["fingerprint"] = manifest.Model.Fingerprint.Value,
        ["dimension"] = manifest.Model.Dimension,
        ["parent"] = manifest.Model.Parent?.Value,
        ["window_hash"] = manifest.Model.WindowHash,
        ["window_as_of"] = ModelJson.Offsets(manifest.Model.WindowAsOf),
        ["hyper_parameters"] = manifest.Model.HyperParameters.DeepClone(),
        ["metrics"] = manifest.Model.Metrics.DeepClone(),
        ["decision"] = manifest.Model.Decision,
    });

    public static ModelManifest Read(JsonObject json) => new(
        new ModelVersion(ModelJson.Required<string>(json, "version")), ModelJson.Time(json, "published_at"),
        new ModelDraft(
            new Fingerprint(ModelJson.Required<string>(json, "fingerprint")), ModelJson.Required<int>(json, "dimension"),
            ModelJson.Version(json, "parent"), json["window_hash"]?.GetValue<string>(),
            ModelJson.Offsets(json, "window_as_of"),
            ModelJson.Object(json, "hyper_parameters"), ModelJson.Object(json, "metrics"), ModelJson.Required<string>(json, "decision")));
}

/// <summary><c>refusals/&lt;number&gt;.json</c>. Frozen names; may grow.</summary>
internal static class RefusalJson
{
    public static byte[] Write(Refusal refusal) => ModelJson.Bytes(new JsonObject
    {
        ["at"] = ModelJson.Text(refusal.At),
        ["incumbent"] = refusal.Incumbent?.Value,
        ["window_hash"] = refusal.WindowHash,
        ["window_as_of"] = refusal.WindowAsOf is { } asOf ? ModelJson.Offsets(asOf) : null,
        ["metrics"] = refusal.Metrics.DeepClone(),
        ["decision"] = refusal.Decision,
    });

    public static Refusal Read(JsonObject json) => new(
        ModelJson.Time(json, "at"), ModelJson.Version(json, "incumbent"), json["window_hash"]?.GetValue<string>(), ModelJson.Object(json, "metrics"), ModelJson.Required<string>(json, "decision"),
        json["window_as_of"] is null ? null : ModelJson.Offsets(json, "window_as_of"));
}
