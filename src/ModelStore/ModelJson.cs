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

    /// <summary>Longest file that is read; records are a few KB.</summary>
    public const int MostBytes = 16 * 1024 * 1024;

    public static byte[] Bytes(JsonObject json) => JsonSerializer.SerializeToUtf8Bytes(json, Readable);

    /// <exception cref="InvalidDataException">Names the file and what is wrong with it.</exception>
    public static T Read<T>(string file, Func<JsonObject, T> read)
    {
        byte[] content;
        try
        {
            if (new FileInfo(file) is { Exists: true, Length: > MostBytes }) throw new FormatException($"it has more than {MostBytes} bytes.");
            content = File.ReadAllBytes(file);
        }
        catch (Exception damage) when (damage is FormatException or FileNotFoundException)
        {
            throw Damaged(file, damage);
        }
        return Parse(content, file, read);
    }

    /// <param name="name">What to call it in errors.</param>
    /// <inheritdoc cref="Read"/>
    public static T Parse<T>(byte[] content, string name, Func<JsonObject, T> read)
    {
        try
        {
            return read(JsonNode.Parse(content) as JsonObject ?? throw new FormatException("it is not a JSON object."));
        }
        catch (Exception damage) when (IsDamage(damage))
        {
            throw Damaged(name, damage);
        }
    }

    private static InvalidDataException Damaged(string name, Exception damage) => new($"{name} is damaged: {damage.Message} Expected the JSON object that the model store wrote.", damage);

    /// <summary>What reading a record throws when somebody else wrote it, or half of it.</summary>
    public static bool IsDamage(Exception exception) => exception is JsonException or FormatException or InvalidOperationException or OverflowException or ArgumentException;

    public static T Required<T>(JsonObject json, string name) =>
        json[name] is { } value ? value.GetValue<T>() : throw new FormatException($"field \"{name}\" is missing.");

    public static JsonObject Object(JsonObject json, string name) =>
        json[name] is JsonObject value ? (JsonObject)value.DeepClone() : throw new FormatException($"field \"{name}\" is missing or not an object.");

    /// <summary>Positions by partition.</summary>
    public static JsonObject Offsets(IReadOnlyDictionary<int, long> offsets) => new(offsets.OrderBy(p => p.Key)
        .Select(p => KeyValuePair.Create<string, JsonNode?>(p.Key.ToString(CultureInfo.InvariantCulture), JsonValue.Create(p.Value))));

    public static Dictionary<int, long> Offsets(JsonObject json, string name) =>
        Object(json, name).ToDictionary(p => int.Parse(p.Key, CultureInfo.InvariantCulture), p => p.Value is { } value ? value.GetValue<long>() : throw new FormatException($"\"{name}\" holds null."));

    public static DateTimeOffset Time(JsonObject json, string name) =>
        DateTimeOffset.Parse(Required<string>(json, name), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);

    /// <returns>Null when there is none.</returns>
    public static ModelVersion? Version(JsonObject json, string name)
    {
        if (json[name] is not { } value) return null;
        string text = value.GetValue<string>();
        return ModelNames.IsVersion(text) ? new ModelVersion(text) : throw new FormatException($"\"{name}\" is no model version such as 000012-9f3ab07c.");
    }

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
        ["files"] = manifest.Files is { } files ? new JsonArray([.. files.Select(file => new JsonObject { ["path"] = file.Path, ["bytes"] = file.Bytes, ["sha256"] = file.Sha256 })]) : null,
        ["origin"] = manifest.Origin is { } origin
            ? new JsonObject { ["version"] = origin.Version.Value, ["published_at"] = ModelJson.Text(origin.PublishedAt), ["parent"] = origin.Parent?.Value } : null,
    });

    public static ModelManifest Read(JsonObject json)
    {
        var fingerprint = new Fingerprint(ModelJson.Required<string>(json, "fingerprint"));
        if (!ModelNames.IsFingerprint(fingerprint.Value)) throw new FormatException("\"fingerprint\" is not a SHA-256 in lower-case hexadecimal.");
        ModelVersion version = ModelJson.Version(json, "version") ?? throw new FormatException("field \"version\" is missing.");
        if (!version.Value.EndsWith(fingerprint.Short, StringComparison.Ordinal)) throw new FormatException($"version {version} does not end with the first digits of fingerprint {fingerprint}.");
        int dimension = ModelJson.Required<int>(json, "dimension");
        if (dimension < 1) throw new FormatException($"\"dimension\" is {dimension}; expected 1 or more.");
        return new ModelManifest(version, ModelJson.Time(json, "published_at"),
            new ModelDraft(
                fingerprint, dimension, ModelJson.Version(json, "parent"), json["window_hash"]?.GetValue<string>(), ModelJson.Offsets(json, "window_as_of"),
                ModelJson.Object(json, "hyper_parameters"), ModelJson.Object(json, "metrics"), ModelJson.Required<string>(json, "decision")),
            json["files"] is { } files ? Files(files.AsArray()) : null,
            json["origin"] is JsonObject origin
                ? new ModelOrigin(ModelJson.Version(origin, "version") ?? throw new FormatException("\"origin\" has no version."), ModelJson.Time(origin, "published_at"), ModelJson.Version(origin, "parent")) : null);
    }

    private static ModelFile[] Files(JsonArray files) => [.. files.Select(file => file is JsonObject entry
        ? new ModelFile(ModelJson.Required<string>(entry, "path"), ModelJson.Required<long>(entry, "bytes"), ModelJson.Required<string>(entry, "sha256"))
        : throw new FormatException("\"files\" holds something else than objects."))];
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
