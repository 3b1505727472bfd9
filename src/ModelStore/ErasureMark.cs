using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>A version, or one that it was learned from, could see rows of a user who was erased since. Who that was is not kept here.</summary>
/// <param name="At">When the user asked to be erased.</param>
/// <param name="Rows">Of those that the version, or its ancestor, could see: interactions of the user that were removed.</param>
/// <param name="InheritedFrom">The ancestor that saw the rows; null: the version itself did.</param>
public sealed record ErasureMark(DateTimeOffset At, long Rows, ModelVersion? InheritedFrom);

/// <summary><c>erasures.json</c> of a version, beside its manifest. Frozen names; may grow.</summary>
internal static class ErasureMarkJson
{
    public static byte[] Write(IReadOnlyList<ErasureMark> marks) => ModelJson.Bytes(new JsonObject
    {
        ["erasures"] = new JsonArray([.. marks.Select(mark => new JsonObject { ["at"] = ModelJson.Text(mark.At), ["rows"] = mark.Rows, ["inherited_from"] = mark.InheritedFrom?.Value })]),
    });

    public static IReadOnlyList<ErasureMark> Read(JsonObject json) => json["erasures"] is not JsonArray marks ? throw new FormatException("field \"erasures\" is missing or not an array.")
        : [.. marks.Select(mark => mark is JsonObject entry
            ? new ErasureMark(ModelJson.Time(entry, "at"), ModelJson.Required<long>(entry, "rows"), ModelJson.Version(entry, "inherited_from"))
            : throw new FormatException("\"erasures\" holds something else than objects."))];
}
