using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary><c>root.json</c>: what the store holds. Everything that has to change together changes in it. Frozen names; may grow.</summary>
/// <param name="Revision">One more with each change.</param>
/// <param name="Fence">Token of the newest holder that writes here.</param>
/// <param name="LastNumber">Of the newest version there ever was.</param>
/// <param name="LastRefusal">Number of the newest refusal.</param>
/// <param name="Versions">Oldest first.</param>
/// <param name="Leaving">Places of versions that go unless somebody uses them.</param>
/// <param name="Gone">Places, newest last, whose objects are deleted: nothing there becomes a version any more.</param>
/// <param name="Changes">Ids of the newest changes: whoever's answer was lost finds its own.</param>
internal sealed partial record Root(
    long Revision, long Fence, int LastNumber, int LastRefusal, ModelVersion? Live, ModelVersion? Previous,
    IReadOnlyList<RootVersion> Versions, IReadOnlyList<string> Leaving, IReadOnlyList<string> Gone, IReadOnlyList<string> Changes)
{
    public static Root Empty { get; } = new(0, 0, 0, 0, null, null, [], [], [], []);

    public RootVersion? Find(ModelVersion? version) => Versions.FirstOrDefault(one => one.Version == version);

    public byte[] ToBytes() => ModelJson.Bytes(new JsonObject
    {
        ["revision"] = Revision,
        ["fence"] = Fence,
        ["last_number"] = LastNumber,
        ["last_refusal"] = LastRefusal,
        ["live"] = Live?.Value,
        ["previous"] = Previous?.Value,
        ["versions"] = new JsonArray([.. Versions.Select(one => new JsonObject { ["version"] = one.Version.Value, ["place"] = one.Place })]),
        ["leaving"] = Names(Leaving),
        ["gone"] = Names(Gone),
        ["changes"] = Names(Changes),
    });

    public static Root Read(JsonObject json) => new(
        ModelJson.Required<long>(json, "revision"), ModelJson.Required<long>(json, "fence"), ModelJson.Required<int>(json, "last_number"), ModelJson.Required<int>(json, "last_refusal"),
        ModelJson.Version(json, "live"), ModelJson.Version(json, "previous"),
        [.. Array(json, "versions").Select(one => one is JsonObject entry
            ? new RootVersion(ModelJson.Version(entry, "version") ?? throw new FormatException("a version has no name."), Place(ModelJson.Required<string>(entry, "place")))
            : throw new FormatException("\"versions\" holds something else than objects."))],
        [.. Array(json, "leaving").Select(Place)], [.. Array(json, "gone").Select(Place)], [.. Array(json, "changes").Select(Text)]);

    private static JsonArray Names(IEnumerable<string> names) => new([.. names.Select(name => JsonValue.Create(name))]);

    private static JsonArray Array(JsonObject json, string name) => json[name] as JsonArray ?? throw new FormatException($"field \"{name}\" is missing or not an array.");

    private static string Text(JsonNode? node) => node?.GetValue<string>() ?? throw new FormatException("a list of names holds null.");

    private static string Place(JsonNode? node) => Place(Text(node));

    /// <summary>It becomes part of a path.</summary>
    private static string Place(string text) => PlaceName().IsMatch(text) ? text : throw new FormatException($"\"{text}\" is no place of a version; expected 32 hexadecimal digits.");

    [GeneratedRegex(@"\A[0-9a-f]{32}\z")]
    private static partial Regex PlaceName();
}

/// <param name="Place">Its objects lie under <c>models/&lt;place&gt;/</c>.</param>
internal sealed record RootVersion(ModelVersion Version, string Place);
