using System.Text.Json.Serialization;
using BeeFormer.Streaming.Trainer;

namespace BeeFormer.Streaming.Standalone.Evaluation;

/// <summary>Result of <c>evaluate</c>; the names are part of the command's contract and may only grow.</summary>
internal sealed record EvaluationReport(
    [property: JsonPropertyName("users")] int Users,
    [property: JsonPropertyName("cold_items")] int ColdItems,
    [property: JsonPropertyName("rows")] IReadOnlyList<ReportedRow> Rows,
    [property: JsonPropertyName("seconds")] ReportedSeconds Seconds,
    [property: JsonPropertyName("mean_cosine")] ReportedMeanCosine MeanCosine)
{
    public static EvaluationReport Of(ColdStartReport report) => new(report.Users, report.ColdItems,
        [.. report.Rows.Select(row => new ReportedRow(row.Name, row.RecallAt20, row.RecallAt50, row.NdcgAt100))], new ReportedSeconds(report.EncodeSeconds, report.TrainSeconds),
        new ReportedMeanCosine(report.BaseMeanCosine, report.TrainedMeanCosine));
}

internal sealed record ReportedRow(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("recall@20")] double RecallAt20,
    [property: JsonPropertyName("recall@50")] double RecallAt50,
    [property: JsonPropertyName("ndcg@100")] double NdcgAt100);

internal sealed record ReportedSeconds([property: JsonPropertyName("encode")] double Encode, [property: JsonPropertyName("train")] double Train);

/// <summary>Between two of at most 1,000 items, before and after training.</summary>
internal sealed record ReportedMeanCosine([property: JsonPropertyName("base")] double Base, [property: JsonPropertyName("trained")] double Trained);
