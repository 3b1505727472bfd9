using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace BeeFormer.Streaming.Api.Tests.Fuzzing;

/// <summary>One request: what is sent, and the id that a success must give back (null: none).</summary>
internal sealed record HostileRequest(string Operation, HttpMethod Method, string Target, byte[]? Body, string? ContentType, string? ContentEncoding, string? Id)
{
    public override string ToString() =>
        $"{Operation}: {Method} {(Target.Length > 300 ? Target[..300] + "…" : Target)} {ContentType} {ContentEncoding} {(Body is null ? "" : Encoding.UTF8.GetString(Body.AsSpan(0, Math.Min(Body.Length, 600))))}";
}

/// <summary>Requests made from the OpenAPI document: mostly what it asks for, with something wrong here and there. The same seed makes the same requests.</summary>
internal sealed class HostileRequests
{
    /// <summary>Stands for a byte that is no UTF-8 until the body is written.</summary>
    private const char NoUtf8 = '\uE000';

    public static readonly string[] Ids =
    [
        "lamp1", "lamp2", "chair1", "chair2", "../../etc/passwd", "a/b", "a%2Fb", "%", "..", ".", "🐝", "e\u0301", "\"<script>alert(1)</script>", "a b", "\n\t", "'; DROP TABLE items;--", "${jndi:ldap://x}", "null", "-1",
        "similar", "batch", new('x', 512), string.Concat(Enumerable.Repeat("🐝", 128)),
    ];

    private static readonly string[] Texts = [.. Ids, "", " ", "\0", "nul\0inside", new('y', 513), new('z', 10_000), "red lamp", "view", "purchase", "head", "encoder", "2024-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "1700000000000", "interactions/0/0", "\u202Eltr"];

    private static readonly string[] Tokens =
    [
        "NaN", "Infinity", "-", "1e400", "-1e400", "-0", "1e-400", "123456789012345678901234567890", "2147483648", "1.5", "null", "{}", "[]", "[[]]", "true", "\"\"", "\"\\ud800\"", "\"\\u0000\"", $"\"{NoUtf8}\"", $"{NoUtf8}", "\"open",
        "{\"a\":1,\"a\":2}", "{\"\\ud800\":1}", $"{{\"{NoUtf8}\":1}}", "'x'", "/*c*/1", "[1,]", "\uFEFF1", new('[', 100), new('[', 20_000), string.Concat(Enumerable.Repeat("{\"must\":[", 200)), string.Concat(Enumerable.Repeat("{\"a\":", 70)) + "1" + new string('}', 70),
        "{\"must\":[{\"attribute\":\"price\",\"gte\":5}]}", "{\"should\":[{\"ids\":[\"lamp1\"]},{\"must_not\":[{\"attribute\":\"department\",\"any_of\":[\"lamps\"]}]}]}", "{\"must\":[{\"attribute\":\"d\",\"after\":\"2024-01-01\"}]}", "{\"department\":[\"lamps\",5,true]}",
    ];

    private static readonly string[] ContentTypes = ["application/x-ndjson", "application/cloudevents+json", "application/cloudevents-batch+json", "text/plain", "application/json; charset=utf-16", "multipart/form-data", "nonsense"];

    private readonly Random _random;
    private readonly JsonElement _schemas;
    private readonly List<(string Path, string Method, JsonElement Operation)> _operations = [];

    public HostileRequests(JsonElement document, int seed)
    {
        _random = new Random(seed);
        _schemas = document.GetProperty("components").GetProperty("schemas");
        foreach (var path in document.GetProperty("paths").EnumerateObject())
            foreach (var operation in path.Value.EnumerateObject())
                // Trainings are kept for ever: a few are enough.
                for (int n = operation.Value.GetProperty("operationId").GetString() == "StartTraining" ? 19 : 0; n < 20; n++) _operations.Add((path.Name, operation.Name, operation.Value));
    }

    public IReadOnlyCollection<string> Operations => [.. _operations.Select(operation => operation.Operation.GetProperty("operationId").GetString()!).Distinct()];

    public HostileRequest Next()
    {
        var (path, method, operation) = _operations[_random.Next(_operations.Count)];
        string? id = null;
        var query = new List<string>();
        if (operation.TryGetProperty("parameters", out var parameters))
            foreach (var parameter in parameters.EnumerateArray())
            {
                string name = parameter.GetProperty("name").GetString()!, text = name == "id" && !path.StartsWith("/v1/trainings", StringComparison.Ordinal) ? Text() : OtherParameter(name);
                if (parameter.GetProperty("in").GetString() == "path")
                {
                    bool odd = Chance(0.05);
                    if (name == "id" && !odd) id = text;
                    path = path.Replace($"{{{name}}}", odd ? Pick("%FF", "%00", "", "a//b", "%2e%2E", "a/../b", "%zz") : Uri.EscapeDataString(text).Replace(".", "%2E", StringComparison.Ordinal), StringComparison.Ordinal);
                }
                else if (Chance(0.5)) query.Add($"{name}={Uri.EscapeDataString(text)}");
            }
        if (Chance(0.03)) query.Add(Pick("k=", "k=NaN", "&&", "filter=%FF", "x[]=1", "k=5&k=6"));

        byte[]? body = null;
        string? type = null, encoding = null;
        if (operation.TryGetProperty("requestBody", out var asked))
        {
            var contents = asked.GetProperty("content").EnumerateObject().ToList();
            type = Chance(0.05) ? Pick(ContentTypes) : contents[Chance(0.8) ? 0 : _random.Next(contents.Count)].Name;
            string json = contents[0].Value.TryGetProperty("example", out var example) && Chance(0.15) ? example.GetRawText() : contents[0].Value.TryGetProperty("schema", out var schema) ? Value(schema, 0) : Text();
            body = Damaged(Bytes(json));
            if (Chance(0.05)) (body, encoding) = (Chance(0.7) ? Gzip(body) : body, Pick("gzip", "br", "zstd"));
            if (Chance(0.02)) body = null;
        }
        return new HostileRequest(operation.GetProperty("operationId").GetString()!, new HttpMethod(method.ToUpperInvariant()), query.Count == 0 ? path : $"{path}?{string.Join('&', query)}", body, type, encoding, id);
    }

    private string OtherParameter(string name) => Chance(0.7) ? name switch
    {
        "version" => "000001-aaaaaaaa",
        "k" or "limit" => Pick("1", "5", "1000", "1001", "0", "-1"),
        "id" => Guid.Empty.ToString(),
        "topic" => "interactions",
        "partition" or "offset" => Pick("0", "1", "9223372036854775807"),
        "filter" => Pick(Tokens).Replace(NoUtf8, '?'),
        _ => Text(),
    } : Text();

    private string Value(JsonElement schema, int depth)
    {
        if (Chance(0.06) || depth > 6) return Pick(Tokens);
        if (schema.TryGetProperty("$ref", out var reference)) return Value(_schemas.GetProperty(reference.GetString()!.Split('/')[^1]), depth);
        foreach (string choice in new[] { "oneOf", "anyOf" })
            if (schema.TryGetProperty(choice, out var choices)) return Value(choices[_random.Next(choices.GetArrayLength())], depth);
        string? kind = schema.TryGetProperty("type", out var type) ? type.ValueKind == JsonValueKind.Array ? type[_random.Next(type.GetArrayLength())].GetString() : type.GetString() : null;
        switch (kind)
        {
            case "null": return "null";
            case "boolean": return Pick("true", "false");
            case "integer": return Pick("0", "1", "5", "10", "1000", "1001", "-1");
            case "number": return Pick("0", "1", "4.5", "-1e10", "1e308");
            case "string": return JsonSerializer.Serialize(Text());
            case "array":
                return "[" + string.Join(',', Enumerable.Range(0, Chance(0.01) ? 1_500 : _random.Next(4)).Select(_ => schema.TryGetProperty("items", out var items) ? Value(items, depth + 1) : Pick(Tokens))) + "]";
            case "object":
                var members = schema.TryGetProperty("properties", out var properties) ? properties.EnumerateObject().Where(_ => Chance(0.5)).Select(member => (member.Name, Value(member.Value, depth + 1))).ToList() : [];
                if (schema.TryGetProperty("additionalProperties", out var more) && more.ValueKind == JsonValueKind.Object) members.Add((Text(), Value(more, depth + 1)));
                if (Chance(0.05)) members.Add((Text(), Pick(Tokens)));
                if (Chance(0.05) && members.Count > 0) members.Add(members[0]);
                return "{" + string.Join(',', members.Select(member => $"{JsonSerializer.Serialize(member.Item1)}:{member.Item2}")) + "}";
            default: return Pick(Tokens); // any JSON: a filter, an attribute
        }
    }

    private byte[] Damaged(byte[] body)
    {
        if (body.Length == 0 || !Chance(0.08)) return body;
        switch (_random.Next(3))
        {
            case 0: return body[.._random.Next(body.Length)];
            case 1:
                body[_random.Next(body.Length)] = (byte)_random.Next(256);
                return body;
            default: return [.. body, .. Bytes(Pick(Tokens))];
        }
    }

    private static byte[] Bytes(string json)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(json);
        ReadOnlySpan<byte> mark = [0xEE, 0x80, 0x80];
        for (int at; (at = bytes.AsSpan().IndexOf(mark)) >= 0;) bytes = [.. bytes[..at], 0xFF, .. bytes[(at + 3)..]];
        return bytes;
    }

    private static byte[] Gzip(byte[] body)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest)) gzip.Write(body);
        return buffer.ToArray();
    }

    private string Text() => Chance(0.5) ? Pick("lamp1", "chair1", "u1", "red lamp", "view") : Pick(Texts);

    private string Pick(params string[] choices) => choices[_random.Next(choices.Length)];

    private bool Chance(double probability) => _random.NextDouble() < probability;
}
