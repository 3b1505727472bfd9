using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>In how many periods one ranking was strictly above another. The first periods do not count: nothing has learned from them yet.</summary>
/// <param name="Name">The one.</param>
/// <param name="Against">The other.</param>
/// <param name="Periods">How many are compared: those with interactions.</param>
internal sealed record Comparison(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("against")] string Against,
    [property: JsonPropertyName("periods")] int Periods,
    [property: JsonPropertyName("recall@20")] int Recall,
    [property: JsonPropertyName("ndcg@20")] int Ndcg,
    [property: JsonPropertyName("recall@20_new")] int RecallNew,
    [property: JsonPropertyName("ndcg@20_new")] int NdcgNew)
{
    /// <summary>Periods before these are not compared: seven of a data set with times, a tenth of one without.</summary>
    public static int First(bool timed) => timed ? 7 : 1;

    /// <param name="periods">The rows of each compared period.</param>
    public static Comparison Of(string name, string against, IReadOnlyList<IReadOnlyList<PeriodRow>> periods)
    {
        int Above(Func<PeriodRow, double> measure) => periods.Count(rows => measure(rows.Single(row => row.Name == name)) > measure(rows.Single(row => row.Name == against)));
        return new Comparison(name, against, periods.Count, Above(row => row.Recall), Above(row => row.Ndcg), Above(row => row.RecallNew), Above(row => row.NdcgNew));
    }
}
