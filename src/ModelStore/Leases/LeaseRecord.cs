using System.Text.Json.Nodes;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>What stands under a token. Frozen names; may grow.</summary>
/// <param name="Machine">Where the holder runs, as <see cref="ILeaseFiles"/> tells machines apart.</param>
/// <param name="Locked">The holder keeps a file lock that ends with its process.</param>
/// <param name="Renewals">Signs of life until now.</param>
/// <param name="Released">It was given back.</param>
internal sealed record LeaseRecord(Guid Holder, string Machine, bool Locked, long Renewals, bool Released)
{
    public byte[] ToBytes() => ModelJson.Bytes(new JsonObject
    {
        ["holder"] = Holder.ToString(), ["machine"] = Machine, ["locked"] = Locked, ["renewals"] = Renewals, ["released"] = Released,
    });

    /// <returns>Null: damaged. Its holder is only known by whether it changes.</returns>
    public static LeaseRecord? TryRead(byte[] content)
    {
        try
        {
            return JsonNode.Parse(content) is JsonObject json
                ? new LeaseRecord(Guid.Parse(ModelJson.Required<string>(json, "holder")), ModelJson.Required<string>(json, "machine"), ModelJson.Required<bool>(json, "locked"),
                    ModelJson.Required<long>(json, "renewals"), ModelJson.Required<bool>(json, "released"))
                : null;
        }
        catch (Exception damage) when (ModelJson.IsDamage(damage))
        {
            return null;
        }
    }
}
