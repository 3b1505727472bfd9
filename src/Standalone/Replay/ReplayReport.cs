using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>What a replay measured; the names are part of the command's contract and may only grow.</summary>
/// <param name="Note">What the reader must know about these figures; null: nothing.</param>
/// <param name="Halves">The compared periods, first and second half; empty when fewer than two are compared. Defaults of the ranking were chosen on the first half of one data set.</param>
internal sealed record ReplayReport(
    [property: JsonPropertyName("interactions")] int Interactions,
    [property: JsonPropertyName("unknown_items")] int UnknownItems,
    [property: JsonPropertyName("overall")] IReadOnlyList<PeriodRow> Overall,
    [property: JsonPropertyName("periods")] IReadOnlyList<PeriodReport> Periods,
    [property: JsonPropertyName("models")] IReadOnlyList<ReplayedModel> Models,
    [property: JsonPropertyName("seconds")] double Seconds,
    [property: JsonPropertyName("peak_memory_mb")] double PeakMemoryMb,
    [property: JsonPropertyName("note"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Note,
    [property: JsonPropertyName("comparisons")] IReadOnlyList<Comparison> Comparisons,
    [property: JsonPropertyName("halves")] IReadOnlyList<PeriodReport> Halves);

internal sealed record PeriodReport(
    [property: JsonPropertyName("from")] string From,
    [property: JsonPropertyName("to")] string To,
    [property: JsonPropertyName("interactions")] int Interactions,
    [property: JsonPropertyName("rows")] IReadOnlyList<PeriodRow> Rows);

/// <param name="Version">The version in service after the training.</param>
/// <param name="AfterInteractions">How many interactions it could learn from.</param>
internal sealed record ReplayedModel(
    [property: JsonPropertyName("version")] string? Version,
    [property: JsonPropertyName("decision")] string Decision,
    [property: JsonPropertyName("after_interactions")] int AfterInteractions);
