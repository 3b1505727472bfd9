using System.Text.Json;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class RankingMetricsGoldenTests
{
    public static TheoryData<string> Names
    {
        get
        {
            var names = new TheoryData<string>();
            foreach (string name in Values().Keys) names.Add(name);
            return names;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Metric_is_what_recpack_computes(string name)
    {
        string[] parts = name.Split('@');
        int k = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        JsonElement file = Recorded();
        int[][] rankings = file.GetProperty("ranking").Deserialize<int[][]>()!;
        HashSet<int>[] relevant = file.GetProperty("relevant").Deserialize<HashSet<int>[]>()!;
        int[] users = [.. Enumerable.Range(0, rankings.Length).Where(user => relevant[user].Count > 0)];

        double? value = parts[0] switch
        {
            "recall_calibrated" => users.Average(user => RankingMetrics.CalibratedRecall(rankings[user], relevant[user], k)),
            "ndcg" => users.Average(user => RankingMetrics.Ndcg(rankings[user], relevant[user], k)),
            "hit" => users.Average(user => RankingMetrics.Hits(rankings[user], relevant[user], k)),
            "coverage" => RankingMetrics.Coverage(users.Select(user => rankings[user]), k, file.GetProperty("items").GetInt32()),
            _ => null,
        };
        Assert.SkipWhen(value is null, $"{parts[0]} is none of our metrics.");
        Assert.Equal(Values()[name], value!.Value, 1e-9);
    }

    private static Dictionary<string, double> Values() => Recorded().GetProperty("values").Deserialize<Dictionary<string, double>>()!;

    private static JsonElement Recorded() => JsonDocument.Parse(File.ReadAllText(Path.Combine(Golden.Folder("metrics"), "metrics.json"))).RootElement;
}
