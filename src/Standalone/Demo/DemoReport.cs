using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.Standalone.Demo;

/// <summary>Result of <c>demo</c>; the names are part of the command's contract and may only grow.</summary>
internal sealed record DemoReport(
    [property: JsonPropertyName("rows")] IReadOnlyList<DemoRow> Rows,
    [property: JsonPropertyName("live_version")] string? LiveVersion,
    [property: JsonPropertyName("decision")] string Decision,
    [property: JsonPropertyName("shoppers")] int Shoppers,
    [property: JsonPropertyName("shoppers_new")] int ShoppersOfNew,
    [property: JsonPropertyName("seconds")] double Seconds);

/// <param name="RecallNew">Share of the new products that a shopper goes on to buy which stand among the first 20 of the whole catalogue.</param>
internal sealed record DemoRow(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("recall@20_new")] double RecallNew,
    [property: JsonPropertyName("recall@20")] double Recall,
    [property: JsonPropertyName("ndcg@20")] double Ndcg);
