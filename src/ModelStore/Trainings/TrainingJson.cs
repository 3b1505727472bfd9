using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore;

/// <summary><c>&lt;number&gt;.json</c> of a training. Frozen names; may grow.</summary>
internal static class TrainingJson
{
    public static byte[] Write(TrainingRecord record) => ModelJson.Bytes(new JsonObject
    {
        ["id"] = record.Id.ToString(),
        ["tempo"] = record.Tempo,
        ["reason"] = record.Reason,
        ["state"] = Name(record.State),
        ["requested_at"] = ModelJson.Text(record.RequestedAt),
        ["started_at"] = record.StartedAt is { } started ? ModelJson.Text(started) : null,
        ["ended_at"] = record.EndedAt is { } ended ? ModelJson.Text(ended) : null,
        ["phase"] = record.Phase,
        ["fraction"] = record.Fraction,
        ["loss"] = Finite(record.Loss),
        ["version"] = record.Version?.Value,
        ["decision"] = record.Decision,
        ["metrics"] = record.Metrics?.DeepClone(),
        ["items_per_second"] = Finite(record.ItemsPerSecond),
        ["eta_seconds"] = Finite(record.EtaSeconds),
        ["continues"] = record.Continues?.ToString(),
        ["losses"] = record.Losses is null ? null : new JsonArray([.. record.Losses.Select(point => new JsonArray(point.Seconds, point.Loss))]),
        ["policy"] = record.Policy,
        ["cancel_requested"] = record.CancelRequested,
    });

    public static TrainingRecord Read(JsonObject json) => new(
        Guid.Parse(ModelJson.Required<string>(json, "id")), ModelJson.Required<string>(json, "tempo"), ModelJson.Required<string>(json, "reason"),
        Enum.TryParse(ModelJson.Required<string>(json, "state"), ignoreCase: true, out TrainingState state) && Enum.IsDefined(state) ? state : throw new FormatException("\"state\" is no state of a training."),
        ModelJson.Time(json, "requested_at"), Time(json, "started_at"), Time(json, "ended_at"), json["phase"]?.GetValue<string>(), json["fraction"]?.GetValue<double>(), json["loss"]?.GetValue<double>(),
        ModelJson.Version(json, "version"), json["decision"]?.GetValue<string>(), json["metrics"] is null ? null : ModelJson.Object(json, "metrics"),
        json["items_per_second"]?.GetValue<double>(), json["eta_seconds"]?.GetValue<double>(), json["continues"] is { } continues ? Guid.Parse(continues.GetValue<string>()) : null,
        json["losses"] is { } losses ? [.. losses.AsArray().Take(TrainingRecord.MostLosses).Select(Loss)] : null,
        json["policy"]?.GetValue<string>(), json["cancel_requested"]?.GetValue<bool>() ?? false);

    public static string Name(TrainingState state) => state.ToString().ToLowerInvariant();

    private static LossPoint Loss(JsonNode? point) =>
        point is JsonArray { Count: 2 } pair && pair[0] is { } seconds && pair[1] is { } loss ? new LossPoint(seconds.GetValue<double>(), loss.GetValue<double>()) : throw new FormatException("\"losses\" holds something else than pairs of numbers.");

    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;

    private static DateTimeOffset? Time(JsonObject json, string name) => json[name] is null ? null : ModelJson.Time(json, name);
}
